package io.sfumato.server.sampling;

import io.sfumato.server.sampling.AcceptanceSpec.Order;

/**
 * Positions in order of entropy while the sum of the entropies before each stays within the bound;
 * always the first (arXiv 2505.24857).
 */
record EntropyBound(float bound) implements AcceptancePolicy {

  @Override
  public Order order() {
    return Order.ENTROPY;
  }

  @Override
  public int accepted(Ranking ranked, int undecidedAtStart, int step) {
    double sum = 0;
    int accepted = 0;
    while (accepted < ranked.count() && sum <= bound && !Float.isNaN(ranked.entropy(accepted))) {
      sum += ranked.entropy(accepted);
      accepted++;
    }
    return Math.max(accepted, 1);
  }
}
