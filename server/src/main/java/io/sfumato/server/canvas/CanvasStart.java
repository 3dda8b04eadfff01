package io.sfumato.server.canvas;

import java.util.Arrays;
import java.util.List;

/**
 * What stands on a canvas before the first step.
 *
 * @param tokens token ids by position; {@link CanvasSnapshot#NO_TOKEN} where nothing stands yet
 * @param pinned positions that belong to the client and never change; they must have a token
 * @param reopened parts of the draft of which a share is opened again before the first step
 */
public record CanvasStart(int[] tokens, boolean[] pinned, List<NoisySpan> reopened) {

  /**
   * Part of a draft of which some tokens are opened again: those that the model itself finds least
   * probable. A share of 1 opens all of them without asking.
   *
   * @param start first canvas position
   * @param length number of positions, >= 1
   * @param noise share of the tokens to open, 0..1, rounded half up
   */
  public record NoisySpan(int start, int length, float noise) {}

  public CanvasStart {
    if (tokens.length != pinned.length) {
      throw new IllegalArgumentException(
          "pinned: " + pinned.length + " (expected: " + tokens.length + ")");
    }
    reopened = List.copyOf(reopened);
  }

  /** A canvas on which nothing stands. */
  public static CanvasStart undecided(int length) {
    int[] tokens = new int[length];
    Arrays.fill(tokens, CanvasSnapshot.NO_TOKEN);
    return new CanvasStart(tokens, new boolean[length], List.of());
  }

  public int length() {
    return tokens.length;
  }
}
