package io.sfumato.server.app;

import io.grpc.Channel;
import io.grpc.stub.StreamObserver;
import io.sfumato.server.app.terminal.CanvasView;
import io.sfumato.server.app.terminal.RunDisplay;
import io.sfumato.server.app.terminal.RunProgress;
import io.sfumato.server.app.terminal.SvgPicture;
import io.sfumato.v1.Accepted;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.RefineRequest;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.Span;
import io.sfumato.v1.TokenState;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * One streamed call as a client sees it: follows the canvas, shows it, and keeps count. Its events
 * come on gRPC's threads, one at a time; the next one is fetched when the last was drawn, so a slow
 * display gets fewer frames.
 */
final class CanvasRun implements StreamObserver<Event> {

  /**
   * What came of a run.
   *
   * @param frames canvases seen
   * @param firstCanvasNanos from the request to the first canvas; 0 when there was none
   * @param firstCanvasMillis of the first canvas, by the wall clock
   * @param totalNanos from the request to the end
   */
  record Outcome(
      Accepted accepted,
      Finished finished,
      int frames,
      int steps,
      long firstCanvasNanos,
      long firstCanvasMillis,
      long totalNanos) {}

  private final String title;
  private final String subtitle;
  private final RunDisplay display;
  private final SvgPicture picture;
  private final CanvasView view = new CanvasView();
  private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
  private final long startNanos = System.nanoTime();
  private Accepted accepted = Accepted.getDefaultInstance();
  private Finished finished;
  private int committed;
  private int frames;
  private int steps;
  private long firstCanvasNanos;
  private long firstCanvasMillis;

  private CanvasRun(String title, String subtitle, RunDisplay display, SvgPicture picture) {
    this.title = title;
    this.subtitle = subtitle;
    this.display = display;
    this.picture = picture;
  }

  /**
   * Runs a generation to its end.
   *
   * @throws io.grpc.StatusRuntimeException when it ends badly
   */
  static Outcome generate(
      Channel channel,
      GenerateStart start,
      String title,
      String subtitle,
      RunDisplay display,
      SvgPicture picture)
      throws InterruptedException {
    CanvasRun run = new CanvasRun(title, subtitle, display, picture);
    StreamObserver<GenerateRequest> requests = GenerationServiceGrpc.newStub(channel).generate(run);
    requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
    requests.onCompleted();
    return run.await();
  }

  /** As {@link #generate}, for a refinement. */
  static Outcome refine(
      Channel channel,
      RefineStart start,
      String title,
      String subtitle,
      RunDisplay display,
      SvgPicture picture)
      throws InterruptedException {
    CanvasRun run = new CanvasRun(title, subtitle, display, picture);
    StreamObserver<RefineRequest> requests = GenerationServiceGrpc.newStub(channel).refine(run);
    requests.onNext(RefineRequest.newBuilder().setStart(start).build());
    requests.onCompleted();
    return run.await();
  }

  private Outcome await() throws InterruptedException {
    try {
      return outcome.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  @Override
  public void onNext(Event event) {
    steps = Math.max(steps, event.getStep());
    switch (event.getKindCase()) {
      case ACCEPTED -> accepted = event.getAccepted();
      case CANVAS_KEYFRAME -> {
        view.apply(event.getCanvasKeyframe());
        show();
      }
      case CANVAS_DELTA -> {
        view.apply(event.getCanvasDelta());
        show();
      }
      case BLOCK_COMMITTED ->
          committed = Math.max(committed, end(event.getBlockCommitted().getSpan()));
      case FINISHED -> {
        finished = event.getFinished();
        view.cut(committed);
        if (frames > 0) {
          draw();
        }
      }
      case PROGRESS, CONTROL_APPLIED, CONTROL_REJECTED, WARNING, GO_AWAY, KIND_NOT_SET -> {}
    }
  }

  private static int end(Span span) {
    return span.getStart() + span.getLength();
  }

  private void show() {
    long nanos = System.nanoTime() - startNanos;
    if (frames == 0) {
      firstCanvasNanos = nanos;
      firstCanvasMillis = System.currentTimeMillis();
    }
    frames++;
    draw();
  }

  private void draw() {
    if (picture != null) {
      picture.add(view, steps);
    }
    double seconds = (System.nanoTime() - startNanos) / 1e9;
    int decided = view.length() - view.count(TokenState.TOKEN_STATE_UNDECIDED);
    display.show(view, new RunProgress(title, subtitle, steps, decided, view.length(), seconds));
  }

  @Override
  public void onError(Throwable error) {
    outcome.completeExceptionally(error);
  }

  @Override
  public void onCompleted() {
    if (finished == null) {
      outcome.completeExceptionally(
          new IllegalStateException("finished: none (expected: one before OK)"));
      return;
    }
    long totalNanos = System.nanoTime() - startNanos;
    outcome.complete(
        new Outcome(
            accepted, finished, frames, steps, firstCanvasNanos, firstCanvasMillis, totalNanos));
  }
}
