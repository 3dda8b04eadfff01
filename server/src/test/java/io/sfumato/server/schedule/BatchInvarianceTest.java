package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.session.Control;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 31})
  void norDoesASessionThatIsSteered(int others) {
    int applied = 0;
    for (int round = 0; round < 40; round++) {
      List<String> course = course(others, round, controls(round));
      assertThat(course).isNotEmpty().isEqualTo(course(0, round, controls(round)));
      applied += (int) course.stream().filter(line -> line.contains("ControlApplied")).count();
    }
    assertThat(applied).isGreaterThan(40);
  }

  private static Map<Integer, Control> controls(long seed) {
    Random random = new Random(seed + 2000);
    int length =
        Specs.random(new Random(seed), LoopFixture.VOCABULARY, MOST_TOKENS)
            .build()
            .start()
            .length();
    Map<Integer, Control> controls = new HashMap<>();
    for (int id = 1; id <= 6; id++) {
      int start = random.nextInt(length);
      PositionRange range =
          new PositionRange(start, 1 + random.nextInt(Math.min(3, length - start)));
      controls.put(
          random.nextInt(8),
          switch (random.nextInt(4)) {
            case 0 -> new Control.PinSpans(id, Optional.empty(), List.of(range));
            case 1 -> new Control.ReopenSpans(id, Optional.empty(), List.of(range), 1);
            case 2 -> new Control.BlankSpan(id, Optional.empty(), range);
            default ->
                new Control.EditSpan(
                    id, Optional.empty(), range, new int[] {random.nextInt(30), 5});
          });
    }
    return controls;
  }

  private static List<String> course(int others, long seed) {
    return course(others, seed, Map.of());
  }

  private static List<String> course(int others, long seed, Map<Integer, Control> controls) {
    Specs specs = Specs.random(new Random(seed), LoopFixture.VOCABULARY, MOST_TOKENS);
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(32, 12, 600), 10_000);
    Random random = new Random(seed + 1000);
    return SessionCourse.of(
        fixture.loop,
        specs.build(),
        others,
        () -> Specs.random(random, LoopFixture.VOCABULARY, MOST_TOKENS).build(),
        random,
        controls);
  }
}
