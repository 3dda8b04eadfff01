package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One session alone takes the same course as among others with other policies, lengths and seeds
 * that join and leave.
 */
final class BatchInvarianceTest {

  private static final int MOST_TOKENS = 64;

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 31})
  void aSessionDoesNotNoticeItsNeighbours(int others) {
    for (int round = 0; round < 40; round++) {
      assertThat(course(others, round)).isNotEmpty().isEqualTo(course(0, round));
    }
  }

  private static List<String> course(int others, long seed) {
    Specs specs = Specs.random(new Random(seed), LoopFixture.VOCABULARY, MOST_TOKENS);
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(32, 12, 600), 10_000);
    Random random = new Random(seed + 1000);
    return SessionCourse.of(
        fixture.loop,
        specs.build(),
        others,
        () -> Specs.random(random, LoopFixture.VOCABULARY, MOST_TOKENS).build(),
        random);
  }
}
