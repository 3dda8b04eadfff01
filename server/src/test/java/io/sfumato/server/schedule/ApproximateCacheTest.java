package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineLimits;
import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * What sessions with an approximate cache send, and that what they take over stands for what is on
 * the canvas.
 */
final class ApproximateCacheTest {

  private static final int MOST_TOKENS = 64;

  private final EngineLimits limits = new EngineLimits(1, 4, 128, 128, 3, 8, 16);
  private final CachedScript script = new CachedScript(limits);
  private final LoopFixture fixture = new LoopFixture(AttentionKind.FULL, limits, 10, script);

  private static Specs specs(CacheMode cache, boolean shifted) {
    return new Specs()
        .prompt(IntStream.range(0, 10).toArray())
        .length(12)
        .block(4)
        .cached(cache, shifted)
        .acceptance(
            new AcceptanceSpec.FixedSchedule(
                2, AcceptanceSpec.Order.LEFTMOST, AcceptanceSpec.Spread.EVEN));
  }

  private SessionEvent.Finished finish(Specs specs) {
    SessionHandle session = fixture.open(specs);
    fixture.finish();
    return (SessionEvent.Finished) LoopFixture.drain(session).getLast();
  }

  @Test
  void thePrefixCacheIsFilledByTheFirstStepOfEachBlock() {
    SessionEvent.Finished finished = finish(specs(CacheMode.PREFIX, false));
    assertThat(script.items)
        .containsExactly(
            "COMMIT 0+22 of them 10",
            "DENOISE 10+12",
            "COMMIT 0+22 of them 14",
            "DENOISE 14+8",
            "COMMIT 0+22 of them 18",
            "DENOISE 18+4");
    assertThat(finished.usage().tokenForwards()).isEqualTo(3 * 22 + 12 + 8 + 4);
  }

  @Test
  void theDualCacheSendsTheBlockAlone() {
    SessionEvent.Finished finished = finish(specs(CacheMode.DUAL, false));
    assertThat(script.items)
        .containsExactly(
            "COMMIT 0+22 of them 22",
            "DENOISE 10+4 before 8",
            "COMMIT 0+22 of them 22",
            "DENOISE 14+4 before 4",
            "COMMIT 0+22 of them 22",
            "DENOISE 18+4");
    assertThat(finished.usage().tokenForwards()).isEqualTo(3 * 22 + 3 * 4);
  }

  @Test
  void withoutAPromptTheFirstBlockHasNoPrefix() {
    finish(specs(CacheMode.PREFIX, false).prompt().length(8));
    assertThat(script.items)
        .containsExactly("DENOISE 0+8", "DENOISE 0+8", "COMMIT 0+8 of them 4", "DENOISE 4+4");
  }

  @Test
  void shiftedLogitsNeedTheRowBeforeWhileThatIsAskedFor() {
    AcceptanceSpec lastFirst =
        new AcceptanceSpec.FixedSchedule(
            4, AcceptanceSpec.Order.RANDOM, AcceptanceSpec.Spread.EVEN);
    finish(specs(CacheMode.DUAL, true).length(4).acceptance(lastFirst).seed(3));
    assertThat(script.items).hasSize(4).startsWith("COMMIT 0+14 of them 14");
    assertThat(script.items.subList(1, 4)).contains("DENOISE 9+5").contains("DENOISE 10+4");
  }

  @Test
  void aSeedIsDecidedByTheStepThatFillsTheCache() {
    finish(specs(CacheMode.PREFIX, true).acceptance(new AcceptanceSpec.SeededThreshold(0)));
    assertThat(script.items)
        .containsExactly(
            "COMMIT 0+22 of them 10",
            "DENOISE 10+12",
            "COMMIT 0+22 of them 14",
            "DENOISE 14+8",
            "COMMIT 0+22 of them 18",
            "DENOISE 18+4");
  }

  @Test
  void aChangeOutsideOfTheBlockFillsTheCacheAnew() {
    for (CacheMode cache : List.of(CacheMode.PREFIX, CacheMode.DUAL)) {
      script.items.clear();
      SessionHandle session = fixture.open(specs(cache, false));
      fixture.loop.step();
      session.control(edit(3)); // in the block
      fixture.loop.step();
      fixture.loop.step();
      session.control(edit(9)); // behind the second one, which is at work
      fixture.finish();
      assertThat(script.items.get(1)).startsWith("DENOISE 10+");
      assertThat(script.items.subList(2, 4)).allMatch(item -> item.startsWith("COMMIT 0+22"));
      assertThat(script.seen[19]).isEqualTo(5);
      session.cancel();
    }
  }

  private static Control edit(int position) {
    return new Control.EditSpan(1, Optional.empty(), new PositionRange(position, 1), new int[] {5});
  }

  @Test
  void finishingTheCanvasComputesAllOfIt() {
    SessionHandle session = fixture.open(specs(CacheMode.DUAL, false));
    fixture.loop.step();
    session.control(new Control.FinishNow(1, Control.Scope.CANVAS));
    fixture.finish();
    assertThat(script.items).containsExactly("COMMIT 0+22 of them 22", "COMMIT 0+22 of them 22");
  }

  /** Whatever the client changes, and whatever the session scores, revises and decides. */
  @Test
  void whatIsTakenOverStandsOnTheCanvas() {
    int cached = 0;
    for (int seed = 0; seed < 2000; seed++) {
      CachedScript paged = new CachedScript(limits);
      LoopFixture alone = new LoopFixture(AttentionKind.FULL, limits, 1, paged);
      cached += steered(alone, paged, random(new Random(seed)).build(), new Random(seed));
    }
    assertThat(cached).isGreaterThan(5_000);
  }

  /**
   * @return steps that took something over
   */
  private static int steered(
      LoopFixture fixture, CachedScript paged, SessionSpec spec, Random random) {
    Session session = (Session) fixture.loop.open(spec, () -> {});
    int cached = 0;
    for (int step = 1; fixture.loop.step(); step++) {
      fixture.loop.checkInvariants();
      LoopFixture.drain(session);
      if (!session.state().isOver()) { // what is left of a canvas at its end is blank
        cached += taken(spec, session.canvas(), paged);
      }
      if (step < 40 && random.nextInt(4) == 0 && !session.state().isOver()) {
        PositionRange range = new PositionRange(random.nextInt(spec.start().length()), 1);
        session.control(
            switch (random.nextInt(3)) {
              case 0 -> new Control.BlankSpan(step, Optional.empty(), range);
              case 1 -> new Control.ReopenSpans(step, Optional.empty(), List.of(range), 1);
              default -> new Control.EditSpan(step, Optional.empty(), range, new int[] {1, 2});
            });
      }
    }
    return cached;
  }

  /** Checks what the last step saw outside of what it computed. */
  private static int taken(SessionSpec spec, Canvas canvas, CachedScript paged) {
    int prompt = spec.promptTokens().length;
    int taken = 0;
    for (int position = 0; position < paged.seen.length; position++) {
      if (position >= paged.computed.start() && position < paged.computed.end()) {
        continue;
      }
      taken++;
      int expected = LoopFixture.MASK;
      if (position < prompt) {
        expected = spec.promptTokens()[position];
      } else if (!canvas.isUndecided(position - prompt)) {
        expected = canvas.token(position - prompt);
      }
      assertThat(paged.seen[position]).isEqualTo(expected);
    }
    return Math.min(taken, 1);
  }

  private static Specs random(Random random) {
    Specs specs = Specs.random(random, LoopFixture.VOCABULARY, MOST_TOKENS);
    return specs.cached(CacheMode.values()[1 + random.nextInt(2)], random.nextBoolean());
  }
}
