package io.sfumato.samples;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.sfumato.v1.Chat;
import io.sfumato.v1.ChatMessage;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.Span;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenState;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks a Sfumato server for a text and prints every canvas on the way to it, one per line. Lives on
 * the thread that calls it.
 */
public final class WatchCanvas {

  private final List<String> canvas = new ArrayList<>();

  public static void main(String[] arguments) throws InterruptedException, StatusException {
    if (arguments.length != 2) {
      System.err.println("usage: WatchCanvas HOST:PORT PROMPT");
      System.exit(2);
    }
    ManagedChannel channel =
        Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).build();
    try {
      new WatchCanvas().watch(channel, arguments[1], System.out);
    } finally {
      channel.shutdownNow();
    }
  }

  /**
   * Runs one generation and prints its canvases, then its text.
   *
   * @return the text
   * @throws StatusException if the server refuses or fails
   */
  String watch(ManagedChannel channel, String prompt, PrintStream out)
      throws InterruptedException, StatusException {
    BlockingClientCall<GenerateRequest, Event> call =
        GenerationServiceGrpc.newBlockingV2Stub(channel).generate();
    call.write(GenerateRequest.newBuilder().setStart(start(prompt)).build());
    call.halfClose();
    String text = "";
    while (call.hasNext()) {
      Event event = call.read();
      switch (event.getKindCase()) {
        case CANVAS_KEYFRAME -> {
          canvas.clear();
          out.println(draw(event.getCanvasKeyframe().getSpansList()));
        }
        case CANVAS_DELTA -> out.println(draw(event.getCanvasDelta().getSpansList()));
        case FINISHED -> text = event.getFinished().getText();
        default -> {} // Progress, commitments and warnings are not shown here.
      }
    }
    out.println(text);
    return text;
  }

  /** A request for the given prompt and all canvases on the way. */
  static GenerateStart start(String prompt) {
    ChatMessage message = ChatMessage.newBuilder().setRole("user").setContent(prompt).build();
    return GenerateStart.newBuilder()
        .setPrompt(Prompt.newBuilder().setChat(Chat.newBuilder().addMessages(message)))
        .setStream(StreamSpec.newBuilder().setDetail(StreamSpec.Detail.DETAIL_CANVAS))
        .build();
  }

  /** Writes the spans over what stands at their positions and joins the canvas. */
  String draw(List<Span> spans) {
    for (Span span : spans) {
      boolean undecided = span.getState() == TokenState.TOKEN_STATE_UNDECIDED;
      for (int i = 0; i < span.getLength(); i++) {
        int position = span.getStart() + i;
        while (canvas.size() <= position) {
          canvas.add("");
        }
        canvas.set(position, undecided ? "░" : span.getTexts(i));
      }
    }
    return String.join("", canvas).replace('\n', '⏎');
  }

  /** Text of the first positions. */
  String text(int length) {
    return String.join("", canvas.subList(0, length));
  }
}
