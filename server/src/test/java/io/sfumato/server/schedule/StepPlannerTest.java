package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.EngineLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class StepPlannerTest {

  private record Demand(String name, int items, int tokens, int candidates) implements StepDemand {

    @Override
    public boolean wantsStep() {
      return !name.equals("paused");
    }
  }

  private final List<Demand> chosen = new ArrayList<>();
  private final List<Demand> left = new ArrayList<>();

  @Test
  void takesInOrderWhatFits() {
    List<Demand> waiting =
        List.of(
            new Demand("a", 1, 50, 10),
            new Demand("b", 1, 60, 10),
            new Demand("c", 2, 40, 10),
            new Demand("d", 1, 10, 10));
    StepPlanner.plan(waiting, limits(4, 100, 100), chosen, left);
    assertThat(chosen).extracting(Demand::name).containsExactly("a", "c", "d");
    assertThat(left).extracting(Demand::name).containsExactly("b");
  }

  @Test
  void respectsItemsAndCandidatesToo() {
    List<Demand> waiting =
        List.of(new Demand("a", 2, 1, 1), new Demand("b", 2, 1, 9), new Demand("c", 1, 1, 9));
    StepPlanner.plan(waiting, limits(3, 100, 10), chosen, left);
    assertThat(chosen).extracting(Demand::name).containsExactly("a", "c");
  }

  @Test
  void leavesOutWhoWantsNoStep() {
    List<Demand> waiting = List.of(new Demand("paused", 1, 1, 1), new Demand("b", 1, 1, 1));
    StepPlanner.plan(waiting, limits(4, 100, 100), chosen, left);
    assertThat(chosen).extracting(Demand::name).containsExactly("b");
    assertThat(left).extracting(Demand::name).containsExactly("paused");
  }

  @Test
  void nobodyStarves() {
    Random random = new Random(2);
    for (int round = 0; round < 500; round++) {
      EngineLimits limits = limits(1 + random.nextInt(4), 100, 100);
      List<Demand> waiting = new ArrayList<>();
      int count = 1 + random.nextInt(12);
      int[] lastStep = new int[count];
      for (int index = 0; index < count; index++) {
        waiting.add(
            new Demand(
                Integer.toString(index), 1, 1 + random.nextInt(100), 1 + random.nextInt(100)));
      }
      for (int step = 1; step <= 100; step++) {
        StepPlanner.plan(waiting, limits, chosen, left);
        assertThat(chosen).isNotEmpty();
        assertThat(chosen.stream().mapToInt(Demand::tokens).sum())
            .isLessThanOrEqualTo(limits.batchTokens());
        assertThat(chosen.stream().mapToInt(Demand::candidates).sum())
            .isLessThanOrEqualTo(limits.candidates());
        assertThat(chosen.stream().mapToInt(Demand::items).sum())
            .isLessThanOrEqualTo(limits.items());
        for (Demand demand : chosen) {
          lastStep[Integer.parseInt(demand.name())] = step;
        }
        for (int last : lastStep) {
          assertThat(step - last).isLessThanOrEqualTo(count);
        }
        waiting = new ArrayList<>(left);
        waiting.addAll(chosen);
      }
    }
  }

  private static EngineLimits limits(int items, int tokens, int candidates) {
    return new EngineLimits(16, items, tokens, candidates, 0, 0, 16);
  }
}
