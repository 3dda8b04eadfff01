package io.sfumato.server.sampling;

/**
 * How many steps a block may take, and how little a step may accept. Immutable and thread-safe.
 *
 * @param maxStepsPerBlock steps of a block, >= 1; the last one accepts everything that is left
 * @param minAcceptPerStep tokens accepted per step at least, >= 1
 */
public record StepBudget(int maxStepsPerBlock, int minAcceptPerStep) {

  /** Whether the step, counted from 1, is the last that the block may take. */
  public boolean isLast(int step) {
    return step >= maxStepsPerBlock;
  }

  /**
   * Tokens to accept.
   *
   * @param proposed what the policy would accept
   * @param candidates how many there are
   */
  public int accepted(int proposed, int candidates, int step) {
    if (isLast(step)) {
      return candidates;
    }
    return Math.min(Math.max(proposed, minAcceptPerStep), candidates);
  }
}
