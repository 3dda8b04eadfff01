package io.sfumato.server.sampling;

/** Which of the candidates of a step are written to the canvas. */
public sealed interface AcceptanceSpec {

  /**
   * By which figure of a candidate positions are ranked; the first is accepted first, equals in
   * order of position.
   */
  enum Order {
    /**
     * Probability of the sampled token, highest first (MaskGIT, arXiv 2202.04200; LLaDA, arXiv
     * 2502.09992).
     */
    CONFIDENCE,
    /** Probability of the best less that of the runner-up, highest first (arXiv 2502.06768). */
    MARGIN,
    /** Entropy, lowest first (Dream, arXiv 2508.15487). */
    ENTROPY,
    /** By the session's noise. */
    RANDOM,
    /** From left to right. */
    LEFTMOST
  }

  /** How the undecided positions of a block are spread over its steps. */
  enum Spread {
    /** Equal shares, the remainder to the first steps (LLaDA). */
    EVEN,
    /**
     * {@code round(undecided * (1 - s/t))} over t from 1 to 0, half to even, in float32; steps
     * without a token are dropped (MDLM).
     */
    LINEAR,
    /**
     * {@code undecided * (1 - s/t)} over t from 1 to 0.001, rounded down, in float32; steps without
     * a token are dropped (Dream).
     */
    TRUNCATED
  }

  /** A fixed number of tokens per step. */
  record FixedSchedule(int stepsPerBlock, Order order, Spread spread) implements AcceptanceSpec {}

  /**
   * All with a confidence of at least the threshold, and always the best one (Fast-dLLM, arXiv
   * 2505.22618).
   */
  record ConfidenceThreshold(float threshold) implements AcceptanceSpec {}

  /**
   * In order of entropy while the sum of the entropies before stays within the bound; always the
   * first (arXiv 2505.24857).
   */
  record EntropyBound(float bound) implements AcceptanceSpec {}

  /**
   * All with a confidence of at least the threshold, and always the best one, but never more than
   * an even schedule would have had by then (Fast-dLLM for Dream).
   */
  record PacedThreshold(float threshold, int stepsPerBlock) implements AcceptanceSpec {}

  /**
   * As the confidence threshold; but where blocks attend to what is before them and the output at a
   * position is about the token after it, a block's first position, which depends on nothing in the
   * block, is accepted alone in a step of its own (Fast-dLLM v2).
   */
  record SeededThreshold(float threshold) implements AcceptanceSpec {}

  /**
   * All with a confidence above the threshold, and always the best one; and in the same step the
   * tokens that stand already, where the model is surer of another one than the edit threshold
   * (LLaDA2.1).
   *
   * @param postEditSteps steps that only edit, once nothing is undecided, at most
   */
  record JointEdit(float threshold, float editThreshold, int postEditSteps)
      implements AcceptanceSpec {}
}
