package io.sfumato.server.app.bench;

import io.grpc.Channel;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.TokenServiceGrpc;
import io.sfumato.v1.TokenizeRequest;
import java.util.List;

/** Token ids from a server. Stateless and thread-safe. */
final class Tokens {

  private Tokens() {}

  /**
   * @param model empty for the server's first
   */
  static List<Integer> of(Channel channel, String model, Prompt prompt) {
    return TokenServiceGrpc.newBlockingStub(channel)
        .tokenize(TokenizeRequest.newBuilder().setModel(model).setPrompt(prompt).build())
        .getTokenIdsList();
  }

  /** As the other one, of plain text. */
  static List<Integer> of(Channel channel, String model, String text) {
    return of(channel, model, Prompt.newBuilder().setText(text).build());
  }
}
