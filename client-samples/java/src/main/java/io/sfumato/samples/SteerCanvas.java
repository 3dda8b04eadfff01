package io.sfumato.samples;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import io.sfumato.v1.FinishNow;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.PinSpans;
import io.sfumato.v1.PositionRange;
import io.sfumato.v1.Span;
import io.sfumato.v1.TokenState;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Steers a generation while it is being written: pins the beginning as soon as it stands, and takes
 * the best guess soon after. Lives on the thread that calls it.
 */
public final class SteerCanvas {

  private static final int PINNED_LENGTH = 6;
  private static final int FRAMES_AFTER_PIN = 2;
  private static final long SEND_SECONDS = 2;
  private static final int PIN = 1; // our numbers for the two controls
  private static final int FINISH = 2;

  private final WatchCanvas canvas = new WatchCanvas();
  private final boolean[] decided = new boolean[PINNED_LENGTH];
  private final PrintStream out;
  private String pinned;
  private int framesLeft = FRAMES_AFTER_PIN;

  SteerCanvas(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] arguments) throws InterruptedException, StatusException {
    if (arguments.length != 2) {
      System.err.println("usage: SteerCanvas HOST:PORT PROMPT");
      System.exit(2);
    }
    ManagedChannel channel =
        Grpc.newChannelBuilder(arguments[0], InsecureChannelCredentials.create()).build();
    try {
      new SteerCanvas(System.out).steer(channel, arguments[1]);
    } finally {
      channel.shutdownNow();
    }
  }

  /**
   * Runs one generation and prints its canvases and what became of the controls, then its text.
   *
   * @return the text
   * @throws StatusException if the server refuses or fails
   */
  String steer(ManagedChannel channel, String prompt) throws InterruptedException, StatusException {
    BlockingClientCall<GenerateRequest, Event> call =
        GenerationServiceGrpc.newBlockingV2Stub(channel).generate();
    call.write(GenerateRequest.newBuilder().setStart(WatchCanvas.start(prompt)).build());
    String text = "";
    while (call.hasNext()) {
      Event event = call.read();
      switch (event.getKindCase()) {
        case CANVAS_KEYFRAME ->
            show(
                call,
                event.getCanvasKeyframe().getFrame(),
                event.getCanvasKeyframe().getSpansList());
        case CANVAS_DELTA ->
            show(call, event.getCanvasDelta().getFrame(), event.getCanvasDelta().getSpansList());
        case CONTROL_APPLIED ->
            out.printf(
                "control %d took effect at step %d%n",
                event.getControlApplied().getControlId(), event.getControlApplied().getStep());
        case CONTROL_REJECTED ->
            out.printf(
                "control %d was refused: %s%n",
                event.getControlRejected().getControlId(),
                event.getControlRejected().getStatus().getMessage());
        case FINISHED -> text = event.getFinished().getText();
        default -> {} // Progress, commitments and warnings are not shown here.
      }
    }
    out.println(text);
    return text;
  }

  /** The text that was pinned; null if the generation was over before. */
  String pinned() {
    return pinned;
  }

  private void show(BlockingClientCall<GenerateRequest, Event> call, int frame, List<Span> spans)
      throws InterruptedException, StatusException {
    out.println(canvas.draw(spans));
    for (Span span : spans) {
      for (int i = span.getStart(); i < span.getStart() + span.getLength(); i++) {
        if (i < PINNED_LENGTH) {
          decided[i] = span.getState() != TokenState.TOKEN_STATE_UNDECIDED;
        }
      }
    }
    if (pinned == null && allDecided()) {
      pinned = canvas.text(PINNED_LENGTH);
      PositionRange beginning = PositionRange.newBuilder().setLength(PINNED_LENGTH).build();
      send(
          call,
          Control.newBuilder()
              .setControlId(PIN)
              .setBasisFrame(frame)
              .setPinSpans(PinSpans.newBuilder().addRanges(beginning)));
    } else if (pinned != null && --framesLeft == 0) {
      send(
          call,
          Control.newBuilder().setControlId(FINISH).setFinishNow(FinishNow.getDefaultInstance()));
      call.halfClose(); // nothing more to say
    }
  }

  private boolean allDecided() {
    for (boolean each : decided) {
      if (!each) {
        return false;
      }
    }
    return true;
  }

  /** Sends a control, unless the generation is over before: a plain write would then wait. */
  private static void send(BlockingClientCall<GenerateRequest, Event> call, Control.Builder control)
      throws InterruptedException, StatusException {
    try {
      call.write(
          GenerateRequest.newBuilder().setControl(control).build(), SEND_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException over) {
      // Nothing is left to steer; the events that are there already tell the rest.
    }
  }
}
