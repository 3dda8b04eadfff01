package io.sfumato.server.sampling;

/**
 * Decides which tokens are opened again (remasking; arXiv 2503.00307 gives the idea). Pure
 * functions; thread-safe.
 */
public final class Revision {

  private Revision() {}

  /**
   * Whether a provisional token is opened again.
   *
   * @param probability what the model now gives the token; NaN is no doubt
   * @param revisions how often its position was opened before
   */
  public static boolean reopens(RevisionSpec spec, float probability, int revisions) {
    return spec.enabled()
        && probability < spec.remaskThreshold()
        && revisions < spec.maxRevisionsPerToken();
  }

  /**
   * A key that sorts positions by the model's probability of what stands there, the lowest first,
   * NaN before all and equals in order of position; the position is its lower half.
   */
  public static long rank(float probability, int position) {
    int bits = Float.isNaN(probability) ? 0 : Float.floatToIntBits(Math.max(probability, 0f));
    return ((long) bits << 32) | position;
  }

  /** How many of a draft's tokens a share of noise opens: rounded half up. */
  public static int opened(int tokens, float noise) {
    return Math.clamp((int) Math.floor((double) noise * tokens + 0.5), 0, tokens);
  }
}
