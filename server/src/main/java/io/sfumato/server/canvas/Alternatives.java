package io.sfumato.server.canvas;

import java.util.Arrays;

/** The tokens that the model held most probable at one position, best first. Immutable. */
public final class Alternatives {

  /** The most that are ever kept of one position. */
  public static final int MOST = 5;

  /** For a position that the model was never asked about. */
  public static final Alternatives NONE = new Alternatives(new int[0], new float[0]);

  private final int[] tokens;
  private final float[] probabilities;

  /**
   * Takes ownership of the arrays.
   *
   * @param probabilities one per token, 0..1, descending
   */
  public Alternatives(int[] tokens, float[] probabilities) {
    if (tokens.length != probabilities.length || tokens.length > MOST) {
      throw new IllegalArgumentException(
          "alternatives: "
              + tokens.length
              + " tokens, "
              + probabilities.length
              + " probabilities (expected: as many of both, <= "
              + MOST
              + ")");
    }
    this.tokens = tokens;
    this.probabilities = probabilities;
  }

  public int count() {
    return tokens.length;
  }

  public int token(int rank) {
    return tokens[rank];
  }

  public float probability(int rank) {
    return probabilities[rank];
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Alternatives that
        && Arrays.equals(tokens, that.tokens)
        && Arrays.equals(probabilities, that.probabilities);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(tokens) + Arrays.hashCode(probabilities);
  }
}
