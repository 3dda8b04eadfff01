package io.sfumato.server.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import org.junit.jupiter.api.Test;

final class TemperatureScheduleTest {

  @Test
  void movesInAStraightLineFromTheFirstStepToTheLast() {
    TemperatureSchedule schedule = new TemperatureSchedule(.8f, .4f);
    assertThat(schedule.at(1, 5)).isEqualTo(.8f);
    assertThat(schedule.at(2, 5)).isCloseTo(.7f, offset(1e-6f));
    assertThat(schedule.at(5, 5)).isEqualTo(.4f);
    assertThat(schedule.at(9, 5)).as("a budget that was cut").isEqualTo(.4f);
    assertThat(schedule.at(1, 1)).isEqualTo(.8f);
    assertThat(new TemperatureSchedule(0, 1).at(3, 5)).isEqualTo(.5f);
  }

  @Test
  void takesTheBestGuessBelowTheLeastTemperature() {
    TemperatureSchedule schedule = new TemperatureSchedule(.002f, 0);
    assertThat(schedule.at(2, 5)).isEqualTo(.0015f);
    assertThat(schedule.at(4, 5)).isZero();
  }

  @Test
  void aConstantIsExact() {
    assertThat(TemperatureSchedule.constant(.3f).at(7, 9)).isEqualTo(.3f);
    assertThat(TemperatureSchedule.GREEDY.at(1, 2)).isZero();
  }

  /** DiffusionGemma counts its steps down, and none reaches the lower temperature. */
  @Test
  void isTheScheduleOfDiffusionGemma() {
    int steps = 48;
    TemperatureSchedule schedule = new TemperatureSchedule(.8f, .4f + .4f / steps);
    for (int left = steps; left >= 1; left--) {
      float expected = (float) (.4 + (.8 - .4) * left / steps);
      assertThat(schedule.at(steps - left + 1, steps)).isCloseTo(expected, offset(1e-6f));
    }
  }
}
