package io.sfumato.server.sampling;

import io.sfumato.server.sampling.AcceptanceSpec.Order;

/** Everything the model is sure of, and always the surest one; and edits of what stands already. */
record JointEdit(AcceptanceSpec.JointEdit spec) implements AcceptancePolicy {

  @Override
  public Order order() {
    return Order.CONFIDENCE;
  }

  @Override
  public int accepted(Ranking ranked, int undecidedAtStart, int step) {
    int accepted = 0;
    while (accepted < ranked.count() && ranked.confidence(accepted) > spec.threshold()) {
      accepted++;
    }
    return Math.max(accepted, 1);
  }

  @Override
  public boolean edits() {
    return true;
  }

  @Override
  public boolean replaces(float confidence) {
    return confidence > spec.editThreshold();
  }

  @Override
  public int postEditSteps() {
    return spec.postEditSteps();
  }
}
