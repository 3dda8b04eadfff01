package io.sfumato.server.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.sampling.AcceptanceSpec.Order;
import io.sfumato.server.sampling.AcceptanceSpec.Spread;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class AcceptancePolicyTest {

  @Test
  void thresholdTakesAllThatReachItAndAlwaysTheBest() {
    AcceptancePolicy policy = AcceptancePolicy.of(new AcceptanceSpec.ConfidenceThreshold(.9f));
    assertThat(policy.order()).isEqualTo(Order.CONFIDENCE);
    assertThat(accepted(policy, ListedCandidates.ofConfidences(.2f, .9f, .95f, .89f))).isEqualTo(2);
    assertThat(accepted(policy, ListedCandidates.ofConfidences(.2f, .3f))).isEqualTo(1);
    assertThat(accepted(policy, ListedCandidates.ofConfidences(Float.NaN, Float.NaN))).isEqualTo(1);
    assertThat(accepted(policy, ListedCandidates.ofConfidences(Float.NaN, .99f, .91f)))
        .isEqualTo(2);
  }

  @Test
  void entropyBoundTakesWhileTheSumBeforeStaysWithin() {
    AcceptancePolicy policy = AcceptancePolicy.of(new AcceptanceSpec.EntropyBound(.1f));
    assertThat(policy.order()).isEqualTo(Order.ENTROPY);
    // Sums before: 0, .04, .09, .16
    assertThat(accepted(policy, ListedCandidates.ofEntropies(.07f, .04f, 2f, .05f))).isEqualTo(3);
    assertThat(accepted(policy, ListedCandidates.ofEntropies(5f, 4f))).isEqualTo(1);
    assertThat(accepted(policy, ListedCandidates.ofEntropies(Float.NaN, Float.NaN))).isEqualTo(1);
    assertThat(accepted(policy, ListedCandidates.ofEntropies(0f, Float.NaN, 0f))).isEqualTo(2);
  }

  @Test
  void aPacedThresholdIsNeverAheadOfItsSchedule() {
    AcceptancePolicy policy = AcceptancePolicy.of(new AcceptanceSpec.PacedThreshold(.5f, 4));
    Ranking sure = ListedCandidates.ofConfidences(.9f, .9f, .9f, .9f, .9f).ranked(policy.order());
    assertThat(policy.accepted(sure, 8, 1)).as("one is due, and never none").isEqualTo(1);
    assertThat(policy.accepted(sure, 8, 3)).as("three of the six due by then").isEqualTo(3);
    assertThat(policy.accepted(sure, 8, 4)).as("the rest").isEqualTo(5);
    Ranking unsure = ListedCandidates.ofConfidences(.6f, .4f, .4f).ranked(policy.order());
    assertThat(policy.accepted(unsure, 8, 9)).isEqualTo(1);
  }

  @Test
  void jointEditAcceptsAboveItsThresholdAndReplacesAboveAnother() {
    AcceptancePolicy policy = AcceptancePolicy.of(new AcceptanceSpec.JointEdit(.5f, .7f, 3));
    assertThat(accepted(policy, ListedCandidates.ofConfidences(.5f, .51f, .9f))).isEqualTo(2);
    assertThat(accepted(policy, ListedCandidates.ofConfidences(.1f, .2f))).isEqualTo(1);
    assertThat(policy.edits()).isTrue();
    assertThat(policy.replaces(.7f)).isFalse();
    assertThat(policy.replaces(.71f)).isTrue();
    assertThat(policy.replaces(Float.NaN)).isFalse();
    assertThat(policy.postEditSteps()).isEqualTo(3);
  }

  @Test
  void fixedScheduleKeepsItsOrder() {
    for (Order order : Order.values()) {
      AcceptancePolicy policy =
          AcceptancePolicy.of(new AcceptanceSpec.FixedSchedule(3, order, Spread.EVEN));
      assertThat(policy.order()).isEqualTo(order);
      Ranking ranking = ListedCandidates.ofConfidences(new float[8]).ranked(order);
      assertThat(policy.accepted(ranking, 8, 1)).isEqualTo(3);
      assertThat(policy.accepted(ranking, 8, 3)).isEqualTo(Integer.MAX_VALUE);
    }
  }

  @Test
  void agreesWithNaiveReferences() {
    Random random = new Random(11);
    for (int round = 0; round < 5000; round++) {
      int count = 1 + random.nextInt(30);
      float[] figures = new float[count];
      for (int index = 0; index < count; index++) {
        figures[index] = random.nextInt(100) / 100f;
      }
      float limit = random.nextInt(100) / 100f;
      assertThat(
              accepted(
                  new ConfidenceThreshold(limit, false), ListedCandidates.ofConfidences(figures)))
          .isEqualTo(naiveThreshold(figures, limit));
      assertThat(accepted(new EntropyBound(limit), ListedCandidates.ofEntropies(figures)))
          .isEqualTo(naiveBound(figures, limit));
    }
  }

  private static int naiveThreshold(float[] confidences, float threshold) {
    int count = 0;
    for (float confidence : confidences) {
      count += confidence >= threshold ? 1 : 0;
    }
    return count == 0 ? 1 : count;
  }

  private static int naiveBound(float[] entropies, float bound) {
    float[] sorted = entropies.clone();
    java.util.Arrays.sort(sorted);
    int count = 0;
    for (int index = 0; index < sorted.length; index++) {
      double before = 0;
      for (int earlier = 0; earlier < index; earlier++) {
        before += sorted[earlier];
      }
      count += before <= bound ? 1 : 0;
    }
    return count;
  }

  private static int accepted(AcceptancePolicy policy, ListedCandidates candidates) {
    return policy.accepted(candidates.ranked(policy.order()), candidates.count(), 1);
  }
}
