package io.sfumato.server.sampling;

import io.sfumato.server.sampling.AcceptanceSpec.Order;
import java.util.Arrays;

/**
 * Candidates in the order in which they would be accepted; equals in order of position.
 *
 * <p>Allocated once and refilled every step; confined to the engine thread.
 */
public final class Ranking {

  private final long[]
      keys; // rank of the figure in the upper half, index of the candidate in the lower
  private int count;
  private CandidateView view;

  /**
   * @param capacity most candidates of one step
   */
  public Ranking(int capacity) {
    keys = new long[capacity];
  }

  /**
   * Ranks the candidates of a step.
   *
   * @param seed the session's noise, for {@link Order#RANDOM}
   * @param step step within the block, from 1
   */
  public void rank(CandidateView candidates, Order order, long seed, int step, int block) {
    view = candidates;
    count = candidates.count();
    for (int index = 0; index < count; index++) {
      float figure = figure(candidates, index, order, seed, step, block);
      keys[index] = ((long) descending(figure) << 32) | index;
    }
    Arrays.sort(keys, 0, count);
  }

  public int count() {
    return count;
  }

  /** Index in the view of the candidate with the given rank, from 0. */
  public int index(int rank) {
    return (int) keys[rank];
  }

  public float confidence(int rank) {
    return view.confidence(index(rank));
  }

  public float entropy(int rank) {
    return view.entropy(index(rank));
  }

  private static float figure(
      CandidateView view, int index, Order order, long seed, int step, int block) {
    return switch (order) {
      case CONFIDENCE -> view.confidence(index);
      case MARGIN -> view.margin(index);
      case ENTROPY -> -view.entropy(index);
      case RANDOM -> Philox.uniform(seed, view.position(index), step, block, Philox.Purpose.ORDER);
      case LEFTMOST -> 0;
    };
  }

  /**
   * Maps floats to ints in reverse order: the highest figure becomes the smallest int, NaN the
   * greatest.
   */
  private static int descending(float figure) {
    if (Float.isNaN(figure)) {
      return Integer.MAX_VALUE;
    }
    int bits = Float.floatToIntBits(figure + 0f); // -0 becomes 0
    return bits >= 0 ? ~bits : bits & Integer.MAX_VALUE;
  }
}
