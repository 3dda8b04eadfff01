package io.sfumato.server.schedule;

import io.sfumato.server.session.Session;

/**
 * A running session and what it holds of the engine. Confined to the engine thread.
 *
 * @param slot the engine's slot
 * @param pages the engine's key-value pages
 */
record Seat(Session session, int slot, HeldPages pages, long startNanos) implements StepDemand {

  @Override
  public boolean wantsStep() {
    return session.wantsStep();
  }

  @Override
  public int items() {
    return session.items();
  }

  @Override
  public int tokens() {
    return session.tokens();
  }

  @Override
  public int candidates() {
    return session.candidates();
  }
}
