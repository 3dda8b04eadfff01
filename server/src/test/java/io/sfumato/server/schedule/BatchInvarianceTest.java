package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import java.util.ArrayList;
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
      Specs specs = Specs.random(new Random(round), LoopFixture.VOCABULARY, MOST_TOKENS);
      assertThat(course(specs, others, round)).isEqualTo(course(specs, 0, round));
    }
  }

  /** Everything that the session shows, step by step. */
  private static List<String> course(Specs specs, int others, long seed) {
    Random random = new Random(seed + 1000);
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(32, 12, 600), 64);
    List<SessionHandle> neighbours = new ArrayList<>();
    join(fixture, neighbours, others / 2, random);
    SessionHandle session = fixture.open(specs);
    join(fixture, neighbours, others - others / 2, random);
    List<String> course = new ArrayList<>();
    while (fixture.loop.step()) {
      fixture.loop.checkInvariants();
      for (SessionEvent event : LoopFixture.drain(session)) {
        describe(event, course);
      }
      if (others > 0 && random.nextInt(3) == 0) {
        neighbours.get(random.nextInt(neighbours.size())).cancel();
        join(fixture, neighbours, 1, random);
      }
      if (!course.isEmpty() && course.getLast().startsWith("finished")) {
        return course;
      }
    }
    return course;
  }

  private static void join(
      LoopFixture fixture, List<SessionHandle> neighbours, int count, Random random) {
    for (int index = 0; index < count && fixture.loop.waiting() < 60; index++) {
      neighbours.add(fixture.open(Specs.random(random, LoopFixture.VOCABULARY, MOST_TOKENS)));
    }
  }

  private static void describe(SessionEvent event, List<String> course) {
    switch (event) {
      case SessionEvent.CanvasChanged changed -> course.add(describe(changed.snapshot()));
      case SessionEvent.BlockCommitted block ->
          course.add(
              "committed "
                  + block.block()
                  + " "
                  + block.steps()
                  + " "
                  + java.util.Arrays.toString(block.tokens()));
      case SessionEvent.Finished finished ->
          course.add(
              "finished "
                  + finished.reason()
                  + " "
                  + finished.usage()
                  + " "
                  + java.util.Arrays.toString(finished.tokens()));
      case SessionEvent.Failed failed -> throw new AssertionError(failed.reason());
      case SessionEvent.Accepted ignored -> {}
      case SessionEvent.Progress ignored -> {}
      case SessionEvent.ControlApplied ignored -> {}
      case SessionEvent.ControlRejected ignored -> {}
    }
  }

  private static String describe(CanvasSnapshot canvas) {
    StringBuilder text = new StringBuilder();
    text.append(canvas.block())
        .append('/')
        .append(canvas.step())
        .append('/')
        .append(canvas.totalSteps());
    for (int position = 0; position < canvas.length(); position++) {
      text.append(' ')
          .append(canvas.token(position))
          .append(canvas.state(position).name().charAt(0));
      text.append(Integer.toHexString(Float.floatToRawIntBits(canvas.confidence(position))));
    }
    return text.toString();
  }
}
