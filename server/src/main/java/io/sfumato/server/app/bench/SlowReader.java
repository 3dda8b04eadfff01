package io.sfumato.server.app.bench;

import io.grpc.ManagedChannel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.sfumato.server.app.terminal.CanvasView;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.StreamGenerateRequest;
import io.sfumato.v1.TokenState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;

/**
 * A client that reads its first canvas, then nothing until it is told to read on, and checks that
 * what it reads then is true. Confined to one thread.
 */
final class SlowReader implements Callable<SlowReader.Outcome> {

  /** What may be on its way to a client that does not read: HTTP/2's own default. */
  static final int WINDOW_BYTES = 65_535;

  /** What the server hands to the transport before it waits (rpc.StreamSink). */
  private static final int SERVER_BUFFER_BYTES = 8 * 1024;

  /** One message was fetched before, one fills each of both buffers beyond its limit. */
  private static final int MOST_FRAMES_ON_THE_WAY = 3;

  private final ManagedChannel channel;
  private final GenerateStart start;
  private final ScriptedModel model;
  private final CountDownLatch waiting;
  private final CountDownLatch goOn;

  private CanvasView view = new CanvasView();
  private final List<Integer> committed = new ArrayList<>();
  private final List<String> untruths = new ArrayList<>();
  private Finished finished;
  private long sequence;
  private int frames;
  private int step;
  private int freshStep; // that the session had done at least when the client read on
  private int largestBytes;
  private long staleBytes;
  private boolean fresh;

  /**
   * What came of a client.
   *
   * @param untruths what was wrong; empty when all was right
   * @param frames canvases shown
   * @param staleBytes canvases older than the moment of reading on, in bytes
   */
  record Outcome(List<String> untruths, int frames, int steps, long staleBytes) {}

  /**
   * @param start must show whole canvases with token ids
   * @param waiting counted down when the client stops to read
   * @param goOn what it waits for then
   */
  SlowReader(
      ManagedChannel channel,
      GenerateStart start,
      ScriptedModel model,
      CountDownLatch waiting,
      CountDownLatch goOn) {
    this.channel = channel;
    this.start = start;
    this.model = model;
    this.waiting = waiting;
    this.goOn = goOn;
  }

  @Override
  public Outcome call() throws InterruptedException, StatusException {
    BlockingClientCall<?, Event> call;
    long stepsBefore;
    try {
      call =
          GenerationServiceGrpc.newBlockingV2Stub(channel)
              .streamGenerate(StreamGenerateRequest.newBuilder().setStart(start).build());
      while (step == 0) {
        Event event = call.read();
        if (event == null) {
          throw WholeCalls.unfinished();
        }
        take(event);
      }
      stepsBefore = model.steps(); // at least as many as the session's own when it sent this frame
    } finally {
      waiting.countDown();
    }
    view = new CanvasView(); // a client that waits shall not count; the next frame is whole
    goOn.await();
    int steps = start.getSampling().getFixedSchedule().getSteps();
    // The engine's newest step may not have reached the canvas yet.
    freshStep = (int) Math.min(steps, step + model.steps() - stepsBefore - 1);
    for (Event event = call.read(); event != null; event = call.read()) {
      take(event);
      note(event);
    }
    check();
    return new Outcome(List.copyOf(untruths), frames, step, staleBytes);
  }

  private void take(Event event) {
    require(event.getSequence() == ++sequence, "sequence", event.getSequence(), sequence);
    step = Math.max(step, event.getStep());
    if (event.hasCanvasKeyframe()) {
      view.apply(event.getCanvasKeyframe());
      frames++;
    } else if (event.hasCanvasDelta()) {
      view.apply(event.getCanvasDelta());
      frames++;
    } else if (event.hasBlockCommitted()) {
      committed.addAll(event.getBlockCommitted().getSpan().getTokenIdsList());
    } else if (event.hasFinished()) {
      finished = event.getFinished();
    }
  }

  private void note(Event event) {
    largestBytes = Math.max(largestBytes, event.getSerializedSize());
    fresh |= event.getStep() >= freshStep;
    if (!fresh) {
      staleBytes += event.getSerializedSize();
    }
  }

  private void check() {
    List<Integer> expected =
        IntStream.range(0, start.getCanvas().getMaxLengthTokens())
            .map(ScriptedModel::token)
            .boxed()
            .toList();
    long mostBytes =
        WINDOW_BYTES + SERVER_BUFFER_BYTES + (long) MOST_FRAMES_ON_THE_WAY * largestBytes;
    require(staleBytes <= mostBytes, "bytes of old canvases", staleBytes, "<= " + mostBytes);
    require(fresh, "newest step", step, ">= " + freshStep);
    require(finished != null, "finished", "none", "the last event");
    if (finished != null) {
      require(
          finished.getTokenIdsList().equals(expected),
          "finished.token_ids",
          finished.getTokenIdsCount() + " tokens",
          "what the model writes");
    }
    require(
        committed.equals(expected),
        "block_committed",
        committed.size() + " tokens",
        "what the model writes");
    StringBuilder shown = new StringBuilder();
    expected.forEach(token -> shown.append(' ').append(token));
    require(
        view.count(TokenState.TOKEN_STATE_COMMITTED) == expected.size()
            && view.text().contentEquals(shown),
        "last canvas",
        view.count(TokenState.TOKEN_STATE_COMMITTED) + " committed tokens",
        "what the model writes");
  }

  private void require(boolean holds, String name, Object value, Object expected) {
    if (!holds) {
      untruths.add(name + ": " + value + " (expected: " + expected + ")");
    }
  }
}
