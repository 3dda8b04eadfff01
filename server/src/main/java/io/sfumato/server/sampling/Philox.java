package io.sfumato.server.sampling;

/**
 * The noise of a session: the counter-based generator Philox4x32-10 (Salmon et al., SC 2011), so
 * that a draw depends on nothing but the session's seed and where it is used.
 *
 * <p>Pure functions; thread-safe. The key is the seed, low word first; the counter is (position in
 * the sequence, step counted from 1 within the block, block, purpose).
 */
public final class Philox {

  /** What a draw is for; the last word of the counter. */
  public enum Purpose {
    /** Random tokens of an initial canvas (step 0), and renoising. */
    RENOISE,
    /** Drawing a token from the model's distribution. */
    TOKEN,
    /** Ranking positions at random. */
    ORDER
  }

  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final long UNSIGNED = 0xFFFFFFFFL;

  private Philox() {}

  /** First output word of the block. */
  public static int word(long seed, int position, int step, int block, Purpose purpose) {
    return generate(
        (int) seed, (int) (seed >>> 32), position, step, block, purpose.ordinal(), null);
  }

  /** Uniform in [0, 1) with 24 bits. */
  public static float uniform(long seed, int position, int step, int block, Purpose purpose) {
    return (word(seed, position, step, block, purpose) >>> 8) * 0x1p-24f;
  }

  /** A token id in 0..vocabulary-1. */
  public static int token(
      long seed, int position, int step, int block, Purpose purpose, int vocabulary) {
    return (int) (((word(seed, position, step, block, purpose) & UNSIGNED) * vocabulary) >>> 32);
  }

  /**
   * One block of the generator.
   *
   * @param output takes the four output words; null for the first one only, which is returned
   */
  static int generate(
      int key0, int key1, int counter0, int counter1, int counter2, int counter3, int[] output) {
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = (counter0 & UNSIGNED) * MULTIPLIER_0;
      long product1 = (counter2 & UNSIGNED) * MULTIPLIER_1;
      counter0 = (int) (product1 >>> 32) ^ counter1 ^ key0;
      counter1 = (int) product1;
      counter2 = (int) (product0 >>> 32) ^ counter3 ^ key1;
      counter3 = (int) product0;
      key0 += WEYL_0;
      key1 += WEYL_1;
    }
    if (output != null) {
      output[0] = counter0;
      output[1] = counter1;
      output[2] = counter2;
      output[3] = counter3;
    }
    return counter0;
  }
}
