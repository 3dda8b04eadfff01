package io.sfumato.server.sampling;

import io.sfumato.server.sampling.AcceptanceSpec.Order;

/**
 * Decides which candidates of a step are written to the canvas: those that come first in the
 * policy's order, and how many of them.
 *
 * <p>Pure functions of their arguments; immutable and thread-safe.
 */
public sealed interface AcceptancePolicy
    permits FixedSchedule, ConfidenceThreshold, EntropyBound, PacedThreshold, JointEdit {

  /** By which figure the candidates are to be ranked. */
  Order order();

  /**
   * How many of the ranked candidates are accepted, before the limits of {@link StepBudget}; may be
   * more than there are.
   *
   * @param ranked the candidates in {@link #order}
   * @param undecidedAtStart undecided positions of the block before its first step
   * @param step step within the block, from 1
   */
  int accepted(Ranking ranked, int undecidedAtStart, int step);

  /**
   * As {@link #accepted}, where every step decides all positions of the block anew: how many of
   * them keep their token.
   */
  default int kept(Ranking ranked, int step) {
    return accepted(ranked, ranked.count(), step);
  }

  /** Whether the first position of a block that sees nothing of it is accepted alone. */
  default boolean seedsBlocks() {
    return false;
  }

  /** Whether tokens that stand already may be replaced. */
  default boolean edits() {
    return false;
  }

  /** Whether a token is replaced by another one of this confidence. */
  default boolean replaces(float confidence) {
    return false;
  }

  /** Steps that only edit, once nothing is undecided, at most. */
  default int postEditSteps() {
    return 0;
  }

  static AcceptancePolicy of(AcceptanceSpec spec) {
    return switch (spec) {
      case AcceptanceSpec.FixedSchedule fixed -> new FixedSchedule(fixed);
      case AcceptanceSpec.ConfidenceThreshold threshold ->
          new ConfidenceThreshold(threshold.threshold(), false);
      case AcceptanceSpec.SeededThreshold seeded ->
          new ConfidenceThreshold(seeded.threshold(), true);
      case AcceptanceSpec.PacedThreshold paced -> new PacedThreshold(paced);
      case AcceptanceSpec.JointEdit edit -> new JointEdit(edit);
      case AcceptanceSpec.EntropyBound bound -> new EntropyBound(bound.bound());
    };
  }
}
