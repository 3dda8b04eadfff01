package io.sfumato.server.schedule;

import io.sfumato.engine.EngineLimits;
import java.util.List;

/**
 * Chooses the sessions of the next step: those that have waited longest come first, later ones fill
 * what room is left, and a session's items stay together.
 *
 * <p>Pure function; thread-safe. Nobody who wants a step starves: whoever is left out stands before
 * all who were chosen, and a session alone always fits (an admission rule), so that each gets a
 * step after at most as many steps as there are sessions.
 */
final class StepPlanner {

  private StepPlanner() {}

  /**
   * @param waiting longest waiting first
   * @param chosen takes the sessions of this step; emptied first
   * @param left takes the others, in their order; emptied first
   */
  static <T extends StepDemand> void plan(
      List<T> waiting, EngineLimits limits, List<T> chosen, List<T> left) {
    chosen.clear();
    left.clear();
    int items = limits.items();
    int tokens = limits.batchTokens();
    int candidates = limits.candidates();
    for (int index = 0; index < waiting.size(); index++) {
      T demand = waiting.get(index);
      if (!demand.wantsStep()
          || demand.items() > items
          || demand.tokens() > tokens
          || demand.candidates() > candidates) {
        left.add(demand);
        continue;
      }
      items -= demand.items();
      tokens -= demand.tokens();
      candidates -= demand.candidates();
      chosen.add(demand);
    }
  }
}
