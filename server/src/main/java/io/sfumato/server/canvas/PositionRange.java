package io.sfumato.server.canvas;

/**
 * Neighbouring positions of a canvas. Immutable.
 *
 * @param start first position, >= 0
 * @param length number of positions, >= 1
 */
public record PositionRange(int start, int length) {

  public PositionRange {
    if (start < 0) {
      throw new IllegalArgumentException("start: " + start + " (expected: >= 0)");
    }
    if (length < 1) {
      throw new IllegalArgumentException("length: " + length + " (expected: >= 1)");
    }
  }

  /** First position after the range. */
  public int end() {
    return start + length;
  }
}
