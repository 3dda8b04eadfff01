package io.sfumato.server.canvas;

/**
 * A run of neighbouring positions in the same state. Immutable.
 *
 * @param start first canvas position
 * @param length number of positions, >= 1
 */
public record CanvasSpan(int start, int length, TokenState state) {

  /** First position after the span. */
  public int end() {
    return start + length;
  }
}
