package io.sfumato.server.session;

import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.sampling.Revision;
import java.util.Arrays;
import java.util.List;

/**
 * Opens the share of a draft that the model itself finds least probable, after one pass over the
 * whole draft.
 *
 * <p>Confined to the engine thread.
 */
final class DraftScoring {

  private final List<CanvasStart.NoisySpan> spans;

  DraftScoring(CanvasStart start) {
    spans = start.reopened().stream().filter(span -> span.noise() > 0 && span.noise() < 1).toList();
  }

  /** Whether the model's opinion of any token is needed. */
  boolean isNeeded(Canvas canvas) {
    for (int position = 0; position < canvas.length(); position++) {
      if (mayOpen(canvas, position)) {
        return true;
      }
    }
    return false;
  }

  /** Asks for the probability of each draft token that may be opened. */
  void request(Canvas canvas, StepRows rows) {
    for (int position = 0; position < canvas.length(); position++) {
      if (mayOpen(canvas, position)) {
        rows.add(position, false);
      }
    }
  }

  /**
   * Notes the probabilities and opens the lowest share of each span; equals in order of position,
   * NaN first.
   */
  void open(Canvas canvas, StepRows rows) {
    for (int row = 0; row < rows.rows(); row++) {
      canvas.reassess(rows.canvasPosition(row), rows.inputProbability(row));
    }
    for (CanvasStart.NoisySpan span : spans) {
      openSpan(canvas, span);
    }
  }

  private static void openSpan(Canvas canvas, CanvasStart.NoisySpan span) {
    long[] ranked = new long[span.length()]; // probability in the upper half, position in the lower
    int count = 0;
    for (int position = span.start(); position < span.start() + span.length(); position++) {
      if (canvas.state(position) == TokenState.PROVISIONAL) {
        ranked[count++] = Revision.rank(canvas.confidence(position), position);
      }
    }
    Arrays.sort(ranked, 0, count);
    for (int index = 0; index < Revision.opened(count, span.noise()); index++) {
      canvas.open((int) ranked[index]);
    }
  }

  private boolean mayOpen(Canvas canvas, int position) {
    if (canvas.state(position) != TokenState.PROVISIONAL) {
      return false;
    }
    for (CanvasStart.NoisySpan span : spans) {
      if (position >= span.start() && position < span.start() + span.length()) {
        return true;
      }
    }
    return false;
  }
}
