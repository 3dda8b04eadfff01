package io.sfumato.server.app.bench.policies;

import java.util.Arrays;
import java.util.BitSet;

/**
 * One forward pass of a recorded run: which positions were undecided, and what the model proposed
 * for the first of them, those within the window. Immutable by convention: the arrays are not
 * changed.
 */
final class TracePass {

  private final BitSet undecided;
  private final int[] positions; // [rows], canvas positions, ascending
  private final int[] tokens; // [rows]
  private final float[] probabilities; // [rows]
  private final float[] secondProbabilities; // [rows]
  private final float[] entropies; // [rows]

  /**
   * @param undecided canvas positions
   * @param tokens the most probable token of each of the first undecided positions
   * @param probabilities of these, 0..1, or NaN
   * @param secondProbabilities of the runners-up, 0..1, or NaN
   * @param entropies in nats, >= 0, or NaN
   * @throws IllegalArgumentException when a figure is out of range or there are more rows than
   *     undecided positions
   */
  TracePass(
      BitSet undecided,
      int[] tokens,
      float[] probabilities,
      float[] secondProbabilities,
      float[] entropies) {
    this.undecided = (BitSet) undecided.clone();
    this.tokens = tokens;
    this.probabilities = probabilities;
    this.secondProbabilities = secondProbabilities;
    this.entropies = entropies;
    Require.range("rows", tokens.length, 1, undecided.cardinality());
    positions = undecided.stream().limit(tokens.length).toArray();
    requireFigures("probability", probabilities, 1, "0..1");
    requireFigures("runner-up", secondProbabilities, 1, "0..1");
    requireFigures("entropy", entropies, Float.MAX_VALUE, ">= 0");
  }

  private void requireFigures(String name, float[] figures, float most, String expected) {
    Require.range(name + " figures", figures.length, tokens.length, tokens.length);
    for (float figure : figures) {
      if (figure < 0 || figure > most) {
        throw new IllegalArgumentException(
            name + ": " + figure + " (expected: " + expected + ", or NaN)");
      }
    }
  }

  /** Undecided canvas positions; not a copy. */
  BitSet undecided() {
    return undecided;
  }

  int rows() {
    return tokens.length;
  }

  /** Canvas position of a row. */
  int position(int row) {
    return positions[row];
  }

  /** The row of a canvas position; negative when there is none. */
  int row(int position) {
    return Arrays.binarySearch(positions, position);
  }

  /** Most probable tokens by row; not a copy. */
  int[] tokens() {
    return tokens;
  }

  float probability(int row) {
    return probabilities[row];
  }

  float secondProbability(int row) {
    return secondProbabilities[row];
  }

  /** In nats. */
  float entropy(int row) {
    return entropies[row];
  }
}
