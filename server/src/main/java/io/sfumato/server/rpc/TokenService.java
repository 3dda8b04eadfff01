package io.sfumato.server.rpc;

import static java.util.Objects.requireNonNull;

import io.grpc.stub.StreamObserver;
import io.sfumato.server.model.ModelCatalog;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.text.TextCodec;
import io.sfumato.v1.CountTokensRequest;
import io.sfumato.v1.CountTokensResponse;
import io.sfumato.v1.DetokenizeRequest;
import io.sfumato.v1.DetokenizeResponse;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.TokenServiceGrpc;
import io.sfumato.v1.TokenizeRequest;
import io.sfumato.v1.TokenizeResponse;

/** Text to tokens and back, as generations do it. Thread-safe. */
final class TokenService extends TokenServiceGrpc.TokenServiceImplBase {

  private final ModelCatalog models;
  private final StatusMapper statuses;

  TokenService(ModelCatalog models, StatusMapper statuses) {
    this.models = requireNonNull(models, "models");
    this.statuses = requireNonNull(statuses, "statuses");
  }

  @Override
  public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> responses) {
    UnaryAnswer.send(
        responses,
        statuses,
        () -> {
          TokenizeResponse.Builder response = TokenizeResponse.newBuilder();
          for (int token :
              encode(request.getModel(), request.getPrompt(), request.getAssistantPrefix())) {
            response.addTokenIds(token);
          }
          return response.build();
        });
  }

  @Override
  public void countTokens(
      CountTokensRequest request, StreamObserver<CountTokensResponse> responses) {
    UnaryAnswer.send(
        responses,
        statuses,
        () -> {
          int[] tokens =
              encode(request.getModel(), request.getPrompt(), request.getAssistantPrefix());
          return CountTokensResponse.newBuilder().setTokenCount(tokens.length).build();
        });
  }

  @Override
  public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeResponse> responses) {
    UnaryAnswer.send(
        responses,
        statuses,
        () -> DetokenizeResponse.newBuilder().setText(decode(request)).build());
  }

  private int[] encode(String name, Prompt prompt, String assistantPrefix) {
    ServedModel model = models.require(name);
    Problems problems = new Problems();
    int[] tokens =
        PromptReader.read(prompt, "prompt", assistantPrefix, "assistant_prefix", model, problems);
    problems.throwIfAny();
    return tokens;
  }

  private String decode(DetokenizeRequest request) {
    ServedModel model = models.require(request.getModel());
    Problems problems = new Problems();
    TextCodec codec = PromptReader.codec("token_ids", model, problems);
    int[] tokens = request.getTokenIdsList().stream().mapToInt(Integer::intValue).toArray();
    Ranges.tokens(problems, "token_ids", tokens, model.engine().vocabulary());
    problems.throwIfAny();
    return codec.decode(tokens);
  }
}
