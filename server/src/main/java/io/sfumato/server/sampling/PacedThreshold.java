package io.sfumato.server.sampling;

import io.sfumato.server.sampling.AcceptanceSpec.Order;

/** A confidence threshold that is never ahead of an even schedule; past its end, a plain one. */
record PacedThreshold(AcceptanceSpec.PacedThreshold spec) implements AcceptancePolicy {

  @Override
  public Order order() {
    return Order.CONFIDENCE;
  }

  @Override
  public int accepted(Ranking ranked, int undecidedAtStart, int step) {
    int share = undecidedAtStart / spec.stepsPerBlock();
    int decided = undecidedAtStart - ranked.count();
    long due = step >= spec.stepsPerBlock() ? undecidedAtStart : (long) share * step;
    int accepted = 0;
    while (accepted < Math.min(ranked.count(), due - decided)
        && ranked.confidence(accepted) >= spec.threshold()) {
      accepted++;
    }
    return Math.max(accepted, 1);
  }
}
