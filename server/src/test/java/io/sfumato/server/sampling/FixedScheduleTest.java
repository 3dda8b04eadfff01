package io.sfumato.server.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.sampling.AcceptanceSpec.Spread;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FixedScheduleTest {

  @Test
  void evenSharesGiveTheRemainderToTheFirstSteps() {
    assertThat(quotas(24, 7, Spread.EVEN)).containsExactly(4, 4, 4, 3, 3, 3, 3);
    assertThat(quotas(16, 5, Spread.EVEN)).containsExactly(4, 3, 3, 3, 3);
    assertThat(quotas(16, 16, Spread.EVEN)).hasSize(16).containsOnly(1);
    assertThat(quotas(3, 8, Spread.EVEN)).containsExactly(1, 1, 1);
    assertThat(quotas(5, 1, Spread.EVEN)).containsExactly(5);
  }

  @Test
  void linearSharesRoundHalfToEvenInSinglePrecision() {
    assertThat(quotas(8, 3, Spread.LINEAR)).containsExactly(3, 2, 3);
    assertThat(quotas(4, 3, Spread.LINEAR))
        .containsExactly(1, 1, 2); // 2 * 0.5 just below one half more
    assertThat(quotas(10, 4, Spread.LINEAR)).containsExactly(2, 3, 2, 3);
    assertThat(quotas(32, 12, Spread.LINEAR)).containsExactly(3, 3, 3, 3, 3, 2, 3, 2, 3, 2, 3, 2);
    assertThat(quotas(7, 6, Spread.LINEAR)).containsExactly(1, 1, 1, 1, 2, 1);
  }

  @Test
  void linearStepsWithoutATokenAreDropped() {
    assertThat(quotas(3, 8, Spread.LINEAR)).containsExactly(1, 1, 1);
    assertThat(quotas(1, 64, Spread.LINEAR)).containsExactly(1);
  }

  @Test
  void truncatedSharesLeaveTheRestToTheLastStep() {
    assertThat(quotas(32, 8, Spread.TRUNCATED)).containsExactly(3, 4, 4, 4, 4, 4, 4, 5);
    assertThat(quotas(24, 10, Spread.TRUNCATED)).containsExactly(2, 2, 2, 2, 2, 2, 2, 3, 3, 4);
    assertThat(quotas(12, 24, Spread.TRUNCATED)).hasSize(11).endsWith(1, 1, 2);
  }

  @Test
  void everyScheduleDecidesEverythingWithinItsSteps() {
    for (Spread spread : Spread.values()) {
      for (int undecided = 1; undecided <= 70; undecided++) {
        for (int steps = 1; steps <= 70; steps++) {
          List<Integer> quotas = quotas(undecided, steps, spread);
          assertThat(quotas).hasSizeLessThanOrEqualTo(steps).allMatch(quota -> quota > 0);
          assertThat(quotas.stream().mapToInt(quota -> quota).sum()).isEqualTo(undecided);
        }
      }
    }
  }

  /** Tokens of each step while any are left. */
  private static List<Integer> quotas(int undecided, int steps, Spread spread) {
    List<Integer> quotas = new ArrayList<>();
    int left = undecided;
    for (int step = 1; left > 0; step++) {
      int quota = Math.min(FixedSchedule.quota(undecided, steps, spread, step), left);
      quotas.add(quota);
      left -= quota;
    }
    return quotas;
  }
}
