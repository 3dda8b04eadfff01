package io.sfumato.server.canvas;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * What a client must be told to come from one canvas to a later one of the same session. Pure
 * functions; thread-safe.
 */
public final class CanvasDiff {

  private CanvasDiff() {}

  /** The whole canvas as runs of equal state, in ascending order without gaps. */
  public static List<CanvasSpan> all(CanvasSnapshot canvas) {
    return spans(canvas, position -> true);
  }

  /**
   * Runs of changed positions of equal state, in ascending order.
   *
   * @param confidences whether a confidence that changed on the wire's scale of 0..255 is a change
   * @param alsoChanged positions that changed in another way
   */
  public static List<CanvasSpan> between(
      CanvasSnapshot previous, CanvasSnapshot next, boolean confidences, IntPredicate alsoChanged) {
    if (previous.length() != next.length()) {
      throw new IllegalArgumentException(
          "canvas_length: " + next.length() + " (expected: " + previous.length() + ")");
    }
    return spans(
        next,
        position -> changed(previous, next, position, confidences) || alsoChanged.test(position));
  }

  /** A probability of 0..1 on the wire's scale of 0..255; NaN is 0. */
  public static int confidenceLevel(float confidence) {
    return Math.clamp(Math.round(confidence * 255f), 0, 255);
  }

  private static boolean changed(
      CanvasSnapshot previous, CanvasSnapshot next, int position, boolean confidences) {
    if (previous.state(position) != next.state(position)) {
      return true;
    }
    if (next.state(position) == TokenState.UNDECIDED) {
      return false;
    }
    if (previous.token(position) != next.token(position)) {
      return true;
    }
    return confidences
        && confidenceLevel(previous.confidence(position))
            != confidenceLevel(next.confidence(position));
  }

  private static List<CanvasSpan> spans(CanvasSnapshot canvas, IntPredicate wanted) {
    List<CanvasSpan> spans = new ArrayList<>();
    int position = 0;
    while (position < canvas.length()) {
      if (!wanted.test(position)) {
        position++;
        continue;
      }
      int start = position;
      TokenState state = canvas.state(start);
      do {
        position++;
      } while (position < canvas.length()
          && canvas.state(position) == state
          && wanted.test(position));
      spans.add(new CanvasSpan(start, position - start, state));
    }
    return spans;
  }
}
