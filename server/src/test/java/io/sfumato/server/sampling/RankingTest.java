package io.sfumato.server.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.sampling.AcceptanceSpec.Order;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class RankingTest {

  private static final ListedCandidates LITERAL =
      new ListedCandidates(
          new float[] {.5f, .9f, .9f, .1f},
          new float[] {.4f, .2f, .3f, .05f},
          new float[] {1.5f, .2f, .1f, 3f});

  @Test
  void literalOrders() {
    assertThat(indexes(LITERAL, Order.CONFIDENCE)).containsExactly(1, 2, 0, 3);
    assertThat(indexes(LITERAL, Order.MARGIN)).containsExactly(0, 2, 1, 3);
    assertThat(indexes(LITERAL, Order.ENTROPY)).containsExactly(2, 1, 0, 3);
    assertThat(indexes(LITERAL, Order.LEFTMOST)).containsExactly(0, 1, 2, 3);
  }

  @Test
  void randomOrderFollowsTheNoiseOfThePosition() {
    Ranking ranking = new Ranking(4);
    ranking.rank(LITERAL, Order.RANDOM, 77, 5, 2);
    Comparator<Integer> byNoise =
        Comparator.comparingDouble(index -> -Philox.uniform(77, index, 5, 2, Philox.Purpose.ORDER));
    List<Integer> expected = IntStream.range(0, 4).boxed().sorted(byNoise).toList();
    assertThat(IntStream.range(0, 4).map(ranking::index).boxed())
        .containsExactlyElementsOf(expected);
  }

  @Test
  void notANumberRanksLastAndInfinitiesInTheirPlace() {
    ListedCandidates odd =
        ListedCandidates.ofConfidences(
            Float.NaN, 0f, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, -0f, -1f);
    assertThat(indexes(odd, Order.CONFIDENCE)).containsExactly(3, 1, 4, 5, 2, 0);
    assertThat(indexes(ListedCandidates.ofEntropies(Float.NaN, 2f, 0f), Order.ENTROPY))
        .containsExactly(2, 1, 0);
  }

  @Test
  void sortsLikeAStableSort() {
    Random random = new Random(5);
    for (int round = 0; round < 2000; round++) {
      int count = random.nextInt(40);
      float[] confidences = new float[count];
      for (int index = 0; index < count; index++) {
        confidences[index] = random.nextInt(8) / 8f; // many equals
      }
      List<Integer> expected =
          IntStream.range(0, count)
              .boxed()
              .sorted(Comparator.comparingDouble(index -> -confidences[index]))
              .toList();
      assertThat(indexes(ListedCandidates.ofConfidences(confidences), Order.CONFIDENCE))
          .containsExactlyElementsOf(expected);
    }
  }

  private static List<Integer> indexes(ListedCandidates candidates, Order order) {
    Ranking ranking = candidates.ranked(order);
    return IntStream.range(0, ranking.count()).map(ranking::index).boxed().toList();
  }
}
