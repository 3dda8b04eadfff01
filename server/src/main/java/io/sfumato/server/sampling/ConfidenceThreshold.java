package io.sfumato.server.sampling;

import io.sfumato.server.sampling.AcceptanceSpec.Order;

/** Everything the model is sure of, and always the surest one (Fast-dLLM, arXiv 2505.22618). */
record ConfidenceThreshold(float threshold, boolean seedsBlocks) implements AcceptancePolicy {

  @Override
  public Order order() {
    return Order.CONFIDENCE;
  }

  @Override
  public int accepted(Ranking ranked, int undecidedAtStart, int step) {
    int accepted = 0;
    while (accepted < ranked.count() && ranked.confidence(accepted) >= threshold) {
      accepted++;
    }
    return Math.max(accepted, 1);
  }
}
