package io.sfumato.server.sampling;

/**
 * How canvases are sampled whose undecided positions hold random tokens rather than a mask
 * (DiffusionGemma's generate).
 *
 * <p>A block is finished early after a step whose most probable tokens are those of each of so many
 * steps before it, and whose mean entropy is low.
 *
 * @param stableSteps 0..64
 * @param meanEntropy nats that the mean entropy must stay below; 0 for never
 * @param recorded random tokens of a reference's decoding // [canvas][step, 0 for its beginning]
 *     [position], with which the most probable token counts as the one drawn; empty for those of
 *     the session's seed
 */
public record UniformNoise(int stableSteps, float meanEntropy, int[][][] recorded) {

  private static final int[][][] BY_SEED = {};

  public UniformNoise(int stableSteps, float meanEntropy) {
    this(stableSteps, meanEntropy, BY_SEED);
  }

  /** Whether random tokens are those of a record. */
  public boolean isReplay() {
    return recorded.length > 0;
  }
}
