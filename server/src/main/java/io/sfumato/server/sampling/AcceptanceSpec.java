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
    LINEAR
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
}
