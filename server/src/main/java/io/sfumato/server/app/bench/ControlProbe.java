package io.sfumato.server.app.bench;

import com.google.protobuf.util.Durations;
import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.sfumato.server.app.terminal.CanvasView;
import io.sfumato.v1.Control;
import io.sfumato.v1.EditSpan;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.PinSpans;
import io.sfumato.v1.PositionRange;
import io.sfumato.v1.ReopenSpans;
import io.sfumato.v1.SetBudget;
import io.sfumato.v1.TokenIds;
import io.sfumato.v1.TokenState;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A client that sends controls on running streams, one at a time and each at a random moment, and
 * measures how long it waits for the answers. Confined to one thread.
 *
 * <p>Pins, edits, reopenings and new budgets take turns, each of one position that the client has
 * just seen decided. A stream that has ended is followed by another one.
 */
final class ControlProbe {

  private static final int EDIT_TOKEN = 1000;
  private static final int MOST_STEPS = 4096;

  /** Pauses before a control are drawn between none and so many steps. */
  private static final double MOST_PAUSE_STEPS = 2;

  private static final long MOST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private final Channel channel;
  private final LongFunction<GenerateStart> starts;
  private final Random random;
  private final LongStream.Builder appliedNanos = LongStream.builder();
  private int applied;
  private int refused;
  private int unanswered;
  private long opened;
  private int sent;
  private long steps;
  private long stepsNanos;

  private BlockingClientCall<GenerateRequest, Event> call;
  private CanvasView view;
  private int lastStep;
  private long lastStepNanos; // of the server's clock

  /**
   * What the client has seen.
   *
   * @param latencies from sending a control to the receipt of its ControlApplied
   * @param refused controls that were answered by ControlRejected
   * @param unanswered controls whose stream had ended when they came
   * @param stepMillis time per step of the streams
   */
  record Outcome(Latencies latencies, int refused, int unanswered, double stepMillis) {}

  /**
   * @param starts the beginning of the n-th stream; must show every canvas
   */
  ControlProbe(Channel channel, LongFunction<GenerateStart> starts, long seed) {
    this.channel = channel;
    this.starts = starts;
    random = new Random(seed);
  }

  /** Goes on until so many controls were applied. */
  Outcome run(int controls) throws InterruptedException, StatusException {
    int attempts = 0;
    open();
    while (applied < controls) {
      if (++attempts > 100L * controls) {
        throw new IllegalStateException(
            "controls applied: " + applied + " of " + attempts + " (expected: most of them)");
      }
      if (!pause() || !ask()) {
        WholeCalls.cancel(call); // it has ended
        open();
      }
    }
    WholeCalls.cancel(call);
    return new Outcome(
        Latencies.of(appliedNanos.build()),
        refused,
        unanswered,
        stepsNanos / 1e6 / Math.max(1, steps));
  }

  private void open() throws InterruptedException, StatusException {
    call = GenerationServiceGrpc.newBlockingV2Stub(channel).generate();
    view = new CanvasView();
    lastStep = 0;
    call.write(GenerateRequest.newBuilder().setStart(starts.apply(opened++)).build());
  }

  /** Reads on for a while and until a frame shows something; false when the stream has ended. */
  private boolean pause() throws InterruptedException, StatusException {
    double stepNanos = steps == 0 ? 0 : (double) stepsNanos / steps;
    long nanos =
        (long)
            Math.min((double) MOST_PAUSE_NANOS, random.nextDouble() * MOST_PAUSE_STEPS * stepNanos);
    long end = System.nanoTime() + nanos;
    try {
      for (long left = nanos; left > 0; left = end - System.nanoTime()) {
        if (!take(call.read(left, TimeUnit.NANOSECONDS))) {
          return false;
        }
      }
    } catch (TimeoutException over) {
      // The pause is over.
    }
    while (provisional().isEmpty()) {
      if (!take(call.read())) {
        return false;
      }
    }
    return true;
  }

  /** Sends a control and waits for the answer; false when the stream has ended. */
  private boolean ask() throws InterruptedException, StatusException {
    int id = ++sent;
    GenerateRequest request =
        GenerateRequest.newBuilder().setControl(control(id, provisional().getAsInt())).build();
    long begin = System.nanoTime();
    if (!WholeCalls.send(call, request)) {
      unanswered++;
      return false;
    }
    for (Event event = call.read(); take(event); event = call.read()) {
      if (event.hasControlApplied() && event.getControlApplied().getControlId() == id) {
        appliedNanos.add(System.nanoTime() - begin);
        applied++;
        return true;
      }
      if (event.hasControlRejected() && event.getControlRejected().getControlId() == id) {
        refused++;
        return true;
      }
    }
    unanswered++;
    return false;
  }

  private Control control(int id, int position) {
    Control.Builder control = Control.newBuilder().setControlId(id).setBasisFrame(view.frame());
    PositionRange range = PositionRange.newBuilder().setStart(position).setLength(1).build();
    switch (id % 4) {
      case 0 -> control.setPinSpans(PinSpans.newBuilder().addRanges(range));
      case 1 ->
          control.setEditSpan(
              EditSpan.newBuilder()
                  .setRange(range)
                  .setTokenIds(TokenIds.newBuilder().addIds(EDIT_TOKEN)));
      case 2 -> control.setReopenSpans(ReopenSpans.newBuilder().addRanges(range));
      default -> control.setSetBudget(SetBudget.newBuilder().setMaxStepsPerBlock(MOST_STEPS));
    }
    return control.build();
  }

  /** A random position that the model has decided and nobody has pinned; empty for none. */
  private OptionalInt provisional() {
    int[] positions =
        IntStream.range(0, view.length())
            .filter(position -> view.state(position) == TokenState.TOKEN_STATE_PROVISIONAL)
            .toArray();
    return positions.length == 0
        ? OptionalInt.empty()
        : OptionalInt.of(positions[random.nextInt(positions.length)]);
  }

  /** Notes an event; false for the end of the stream. */
  private boolean take(Event event) {
    if (event == null || event.hasFinished()) {
      return false;
    }
    if (event.hasCanvasKeyframe()) {
      view.apply(event.getCanvasKeyframe());
    } else if (event.hasCanvasDelta()) {
      view.apply(event.getCanvasDelta());
    } else {
      return true;
    }
    long elapsed = Durations.toNanos(event.getElapsed());
    if (lastStep > 0 && event.getStep() > lastStep) {
      steps += event.getStep() - lastStep;
      stepsNanos += elapsed - lastStepNanos;
    }
    lastStep = event.getStep();
    lastStepNanos = elapsed;
    return true;
  }
}
