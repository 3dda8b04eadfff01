package io.sfumato.server.app;

import io.sfumato.server.app.terminal.CanvasView;
import io.sfumato.server.app.terminal.RunDisplay;
import io.sfumato.server.app.terminal.RunProgress;
import io.sfumato.server.app.terminal.SvgPicture;
import io.sfumato.v1.Accepted;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.Span;
import io.sfumato.v1.TokenState;
import java.util.Optional;

/**
 * Follows the canvas of a run through its events, live or recorded, shows it, and keeps count.
 * Confined to one thread at a time.
 */
final class RunFollower {

  private final RunTitle title;
  private final RunDisplay display;
  private final Optional<SvgPicture> picture;
  private final CanvasView view = new CanvasView();
  private Accepted accepted = Accepted.getDefaultInstance();
  private Finished finished;
  private int committed;
  private int frames;
  private int steps;
  private long firstCanvasNanos;

  RunFollower(RunTitle title, RunDisplay display, Optional<SvgPicture> picture) {
    this.title = title;
    this.display = display;
    this.picture = picture;
  }

  /**
   * Takes the next event.
   *
   * @param nanos since the request
   * @throws IllegalStateException when it does not fit the canvas
   */
  void accept(Event event, long nanos) {
    steps = Math.max(steps, event.getStep());
    switch (event.getKindCase()) {
      case ACCEPTED -> accepted = event.getAccepted();
      case CANVAS_KEYFRAME -> {
        view.apply(event.getCanvasKeyframe());
        frame(nanos);
      }
      case CANVAS_DELTA -> {
        view.apply(event.getCanvasDelta());
        frame(nanos);
      }
      case BLOCK_COMMITTED ->
          committed = Math.max(committed, end(event.getBlockCommitted().getSpan()));
      case FINISHED -> {
        finished = event.getFinished();
        view.cut(committed);
        if (frames > 0) {
          keep();
          show(nanos);
        }
      }
      case PROGRESS, CONTROL_APPLIED, CONTROL_REJECTED, WARNING, GO_AWAY, KIND_NOT_SET -> {}
    }
  }

  private static int end(Span span) {
    return span.getStart() + span.getLength();
  }

  private void frame(long nanos) {
    if (frames == 0) {
      firstCanvasNanos = nanos;
    }
    frames++;
    keep();
    show(nanos);
  }

  private void keep() {
    picture.ifPresent(kept -> kept.add(view, steps));
  }

  /** Shows the canvas again, as it is. */
  void show(long nanos) {
    int decided = view.length() - view.count(TokenState.TOKEN_STATE_UNDECIDED);
    display.show(
        view,
        new RunProgress(
            title.title(), title.subtitle(), steps, decided, view.length(), nanos / 1e9));
  }

  /** The canvas as it is now. */
  CanvasView view() {
    return view;
  }

  /** Whether the run has ended well. */
  boolean isFinished() {
    return finished != null;
  }

  /**
   * @param totalNanos from the request to the end
   * @throws IllegalStateException when it has not ended well
   */
  RunOutcome outcome(long totalNanos) {
    if (finished == null) {
      throw new IllegalStateException("finished: none (expected: one before OK)");
    }
    return new RunOutcome(accepted, finished, frames, steps, firstCanvasNanos, totalNanos);
  }
}
