package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineLimits;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.SessionState;
import io.sfumato.server.session.Usage;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What sessions send whose positions attend in blocks, and what they keep. */
final class ContextTest {

  private static final int BATCH_TOKENS = 32;
  private static final int MOST_TOKENS = 64;

  private final EngineLimits limits = new EngineLimits(1, 4, BATCH_TOKENS, BATCH_TOKENS, 3, 8, 16);
  private final PagedScript script = new PagedScript(limits);
  private final LoopFixture fixture =
      new LoopFixture(AttentionKind.BLOCK_CAUSAL, limits, 10, script);

  private static Specs specs(int prompt, int canvas, int stepsPerBlock) {
    return new Specs()
        .prompt(IntStream.range(0, prompt).map(position -> position % 50).toArray())
        .length(canvas)
        .acceptance(
            new AcceptanceSpec.FixedSchedule(
                stepsPerBlock, AcceptanceSpec.Order.CONFIDENCE, AcceptanceSpec.Spread.EVEN));
  }

  private SessionEvent.Finished finish(Specs specs) {
    SessionHandle session = fixture.open(specs);
    fixture.finish();
    return (SessionEvent.Finished) LoopFixture.drain(session).getLast();
  }

  @Test
  void thePromptIsKeptInChunksAndEachBlockWithTheFirstStepOfTheNext() {
    SessionEvent.Finished finished = finish(specs(42, 9, 2).causal(4, 0, false));
    assertThat(script.items)
        .containsExactly(
            "PREFILL 0+32",
            "PREFILL 32+8",
            "DENOISE 40+4", // the end of the prompt and the first two positions
            "DENOISE 40+4",
            "COMMIT 40+8 of them 4",
            "DENOISE 44+4",
            "COMMIT 44+7 of them 4",
            "DENOISE 48+3");
    assertThat(finished.usage().tokenForwards()).isEqualTo(32 + 8 + 4 + 4 + 8 + 4 + 7 + 3);
    assertThat(finished.usage().forwardPasses()).isEqualTo(8);
    assertThat(script.kept()).endsWith(Arrays.copyOf(finished.tokens(), 6)).hasSize(48);
  }

  @Test
  void blocksAreCommittedWhereTheyEnd() {
    SessionHandle session = fixture.open(specs(6, 9, 1).causal(4, 0, false));
    fixture.finish();
    assertThat(
            LoopFixture.of(LoopFixture.drain(session), SessionEvent.BlockCommitted.class).stream()
                .map(SessionEvent.BlockCommitted::start))
        .containsExactly(0, 2, 6);
  }

  @Test
  void shiftedLogitsNeedTheRowBeforeWhileThatIsAskedFor() {
    finish(specs(8, 8, 2).causal(4, 0, true));
    assertThat(script.items)
        .containsExactly(
            "PREFILL 0+8", "DENOISE 7+5", "DENOISE 8+4", "COMMIT 8+8 of them 4", "DENOISE 11+5");
  }

  @Test
  void aBlockMayBeSeededByWhatIsBeforeIt() {
    AcceptanceSpec everything = new AcceptanceSpec.SeededThreshold(0);
    finish(specs(8, 8, 1).causal(4, 0, true).acceptance(everything));
    assertThat(script.items)
        .containsExactly(
            "PREFILL 0+8", "DENOISE 7+5", "DENOISE 8+4", "COMMIT 8+8 of them 4", "DENOISE 12+4");
    script.items.clear();
    finish(specs(9, 7, 1).causal(4, 0, true).acceptance(everything));
    assertThat(script.items)
        .as("the end of the prompt is in the first block")
        .containsExactly("PREFILL 0+8", "DENOISE 8+4", "COMMIT 8+8 of them 4", "DENOISE 12+4");
  }

  @Test
  void aMaskInThePromptStaysAndPaddedColumnsCount() {
    finish(specs(9, 4, 1).causal(4, 3, false));
    assertThat(script.items).containsExactly("PREFILL 0+9", "DENOISE 9+4");
    script.items.clear();
    finish(specs(2, 3, 1).prompt(LoopFixture.MASK, 1).causal(8, 3, false));
    assertThat(script.items).containsExactly("DENOISE 0+5");
  }

  @Test
  void guidanceKeepsNothing() {
    finish(specs(6, 6, 1).causal(4, 0, false).guidance(1));
    assertThat(script.items)
        .containsExactly("DENOISE 0+8", "DENOISE 0+8", "DENOISE 0+12", "DENOISE 0+12");
  }

  @Test
  void finishingTheCanvasSendsAllOfIt() {
    SessionHandle session = fixture.open(specs(5, 20, 4).causal(4, 0, false));
    fixture.loop.step();
    assertThat(((Session) session).state()).isEqualTo(SessionState.DENOISING);
    fixture.loop.step();
    session.control(new Control.FinishNow(1, Control.Scope.CANVAS));
    fixture.finish();
    assertThat(script.items).containsExactly("PREFILL 0+4", "DENOISE 4+4", "DENOISE 4+21");
  }

  @Test
  void aPromptIsPrefilledBesideOthersAndPagesComeBack() {
    EngineLimits two = new EngineLimits(2, 4, 48, 48, 3, 8, 16);
    LoopFixture shared = new LoopFixture(AttentionKind.BLOCK_CAUSAL, two, 10, new PagedScript(two));
    SessionHandle running = shared.open(specs(4, 8, 4).causal(4, 0, false));
    shared.loop.step();
    SessionHandle late = shared.open(specs(90, 4, 1).causal(4, 0, false));
    shared.loop.step();
    assertThat(((Session) late).state()).isEqualTo(SessionState.PREFILLING);
    assertThat(((Session) late).totalSteps()).isZero();
    shared.finish();
    assertThat(LoopFixture.drain(running).getLast()).isInstanceOf(SessionEvent.Finished.class);
    assertThat(LoopFixture.drain(late).getLast()).isInstanceOf(SessionEvent.Finished.class);
    shared.open(specs(100, 24, 1).causal(4, 0, false)); // all eight pages
    shared.finish();
  }

  @Test
  void refusesWhatTheEngineCannot() {
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> fixture.open(specs(4, 8, 1)))
        .withMessageContaining("attending.block_length: 0 (expected: 1..4096)");
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> fixture.open(specs(4, 8, 1).causal(4, 4, false)))
        .withMessageContaining("attending.block_offset: 4 (expected: 0..3)");
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> fixture.open(specs(120, 9, 1).causal(4, 0, false)))
        .withMessageContaining("129 (expected: <= 128 tokens in pages)");
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> fixture.open(specs(4, 40, 1).causal(4, 0, false)))
        .withMessageContaining("canvas and one block: 44 (expected: <= 32 tokens per step)");
  }

  @Test
  void whatIsFinishedIsSentOnceAndStaysAsItIs() {
    EngineLimits wide = new EngineLimits(1, 4, 2 * MOST_TOKENS, 4 * MOST_TOKENS, 3, 4, 16);
    int kept = 0;
    for (int seed = 0; seed < 2000; seed++) {
      PagedScript paged = new PagedScript(wide);
      LoopFixture alone = new LoopFixture(AttentionKind.FULL_OR_BLOCK_CAUSAL, wide, 1, paged);
      Specs specs = random(new Random(seed));
      SessionEvent.Finished finished = steered(alone, specs, new Random(seed));
      int[] prompt = specs.build().promptTokens();
      int[] text = Arrays.copyOf(prompt, prompt.length + finished.tokens().length);
      System.arraycopy(finished.tokens(), 0, text, prompt.length, finished.tokens().length);
      assertThat(paged.sessions).isLessThanOrEqualTo(1);
      assertThat(Arrays.copyOf(text, paged.kept().length))
          .as("seed " + seed)
          .isEqualTo(paged.kept());
      kept += paged.kept().length;
    }
    assertThat(kept).isGreaterThan(20_000);
  }

  @Test
  void aPromptThatWasReadBeforeIsNotReadAgain() {
    SessionEvent.Finished first = finish(specs(42, 9, 2).causal(4, 0, false));
    script.items.clear();
    SessionEvent.Finished second = finish(specs(42, 9, 2).causal(4, 0, false));
    assertThat(script.items.subList(0, 2)).containsExactly("PREFILL 32+8", "DENOISE 40+4");
    assertThat(second.tokens()).isEqualTo(first.tokens());
    assertThat(first.usage().cachedPromptTokens()).isZero();
    assertThat(second.usage().cachedPromptTokens()).isEqualTo(32);
    assertThat(second.usage().tokenForwards()).isEqualTo(first.usage().tokenForwards() - 32);
    assertThat(fixture.loop.load().cachedTokens()).isEqualTo(32);
  }

  @Test
  void aPromptMayEndWhereThePagesEnd() {
    finish(specs(32, 4, 1).causal(4, 0, false));
    script.items.clear();
    finish(specs(32, 4, 1).causal(4, 0, false));
    assertThat(script.items).containsExactly("DENOISE 32+4");
    finish(specs(32, 4, 1).causal(4, 0, true));
    script.items.clear();
    finish(specs(32, 4, 1).causal(4, 0, true));
    assertThat(script.items).as("the row before is sent, too").containsExactly("DENOISE 31+5");
  }

  @Test
  void anAnswerThatBecomesPartOfThePromptIsNotReadAgain() {
    int[] answer = finish(specs(14, 24, 1).causal(4, 0, false)).tokens();
    int[] prompt = IntStream.range(0, 60).toArray();
    System.arraycopy(specs(14, 1, 1).build().promptTokens(), 0, prompt, 0, 14);
    System.arraycopy(answer, 0, prompt, 14, 24);
    SessionEvent.Finished next = finish(specs(0, 8, 1).prompt(prompt).causal(4, 0, false));
    assertThat(next.usage().cachedPromptTokens()).isEqualTo(32);
  }

  @Test
  void onlyWholeBlocksAreTaken() {
    finish(specs(70, 4, 1).causal(10, 0, false));
    SessionEvent.Finished cut = finish(specs(55, 4, 1).causal(10, 0, false));
    assertThat(cut.usage().cachedPromptTokens()).as("pages end at 16, 32, 48").isZero();
    finish(specs(96, 4, 1).causal(10, 0, false));
    SessionEvent.Finished whole = finish(specs(85, 4, 1).causal(10, 0, false));
    assertThat(whole.usage().cachedPromptTokens()).isEqualTo(80);
  }

  @Test
  void otherBlocksAnotherSaltAndGuidanceFindNothing() {
    finish(specs(42, 4, 1).causal(4, 0, false).cacheSalt("a"));
    List<Specs> others =
        List.of(
            specs(42, 4, 1).causal(4, 0, false),
            specs(42, 4, 1).causal(4, 0, false).cacheSalt("b"),
            specs(42, 4, 1).causal(8, 0, false).cacheSalt("a"),
            specs(42, 4, 1).causal(4, 1, false).cacheSalt("a"),
            specs(42, 4, 1).causal(4, 0, true).cacheSalt("a"));
    for (Specs other : others) {
      assertThat(finish(other).usage().cachedPromptTokens()).isZero();
    }
    LoopFixture wide = fixture(Integer.MAX_VALUE, new EngineLimits(2, 4, 99, 99, 3, 20, 16));
    for (int round = 0; round < 2; round++) {
      SessionHandle guided = wide.open(specs(42, 4, 1).causal(4, 0, false).guidance(1));
      wide.finish();
      assertThat(used(guided).cachedPromptTokens()).isZero();
    }
  }

  @Test
  void aServerMayKeepNothingOrLittle() {
    EngineLimits wide = new EngineLimits(2, 4, 200, 200, 3, 40, 16);
    for (int kept : new int[] {0, 15, 16, 40, 48}) {
      LoopFixture bounded = fixture(kept, wide);
      bounded.open(specs(100, 4, 1).causal(4, 0, false));
      bounded.finish();
      SessionHandle again = bounded.open(specs(100, 4, 1).causal(4, 0, false));
      bounded.finish();
      assertThat(used(again).cachedPromptTokens()).isEqualTo(kept / 16 * 16);
    }
  }

  @Test
  void sessionsThatRunShareWhatTheyRead() {
    EngineLimits wide = new EngineLimits(3, 4, 200, 200, 3, 40, 16);
    LoopFixture shared = fixture(Integer.MAX_VALUE, wide);
    SessionHandle first = shared.open(specs(100, 20, 2).causal(4, 0, false));
    SessionHandle beside = shared.open(specs(100, 20, 2).causal(4, 0, false));
    shared.loop.step();
    SessionHandle late = shared.open(specs(100, 20, 2).causal(4, 0, false));
    shared.finish();
    assertThat(used(first).cachedPromptTokens()).isZero();
    assertThat(used(beside).cachedPromptTokens()).isZero();
    assertThat(used(late).cachedPromptTokens()).isEqualTo(96);
  }

  private static LoopFixture fixture(int prefixCacheTokens, EngineLimits limits) {
    return new LoopFixture(
        AttentionKind.BLOCK_CAUSAL, limits, 10, prefixCacheTokens, new PagedScript(limits));
  }

  private static Usage used(SessionHandle session) {
    return ((SessionEvent.Finished) LoopFixture.drain(session).getLast()).usage();
  }

  @Test
  void reuseChangesNothingThatASessionShows() {
    int reused = 0;
    for (int round = 0; round < 120; round++) {
      Random random = new Random(round);
      EngineLimits limits = new EngineLimits(6, 8, 300, 300, 3, 8 + random.nextInt(40), 16);
      PagedScript paged = new PagedScript(limits);
      AttentionKind attention = AttentionKind.FULL_OR_BLOCK_CAUSAL;
      LoopFixture warm = new LoopFixture(attention, limits, 10_000, paged);
      SharedPrompts prompts =
          new SharedPrompts(
              random,
              LoopFixture.VOCABULARY - 1,
              2 * MOST_TOKENS,
              4 << random.nextInt(3),
              random.nextBoolean());
      for (int session = 0; session < 8; session++) {
        SessionSpec spec = prompts.next().build();
        List<String> course =
            SessionCourse.of(
                warm.loop, spec, random.nextInt(6), () -> prompts.next().build(), random);
        LoopFixture cold = new LoopFixture(attention, limits, 1, 0, new PagedScript(limits));
        assertThat(SessionCourse.withoutUsage(course))
            .isNotEmpty()
            .isEqualTo(
                SessionCourse.withoutUsage(
                    SessionCourse.of(cold.loop, spec, 0, () -> spec, random)));
      }
      reused += paged.reused;
    }
    assertThat(reused).isGreaterThan(20_000);
  }

  /** Runs a session whose client edits, blanks and reopens what is not committed yet. */
  private static SessionEvent.Finished steered(LoopFixture fixture, Specs specs, Random random) {
    SessionHandle session = fixture.open(specs);
    SessionEvent last = null;
    int length = specs.build().start().length();
    for (int step = 1; fixture.loop.step(); step++) {
      fixture.loop.checkInvariants();
      for (SessionEvent event : LoopFixture.drain(session)) {
        last = event;
      }
      if (step < 40 && random.nextInt(4) == 0 && !((Session) session).state().isOver()) {
        PositionRange range = new PositionRange(random.nextInt(length), 1);
        session.control(
            switch (random.nextInt(3)) {
              case 0 -> new Control.BlankSpan(step, Optional.empty(), range);
              case 1 -> new Control.ReopenSpans(step, Optional.empty(), List.of(range), 1);
              default -> new Control.EditSpan(step, Optional.empty(), range, new int[] {1, 2});
            });
      }
    }
    List<SessionEvent> rest = LoopFixture.drain(session);
    return (SessionEvent.Finished) (rest.isEmpty() ? last : rest.getLast());
  }

  private static Specs random(Random random) {
    Specs specs = Specs.random(random, LoopFixture.VOCABULARY, MOST_TOKENS);
    if (random.nextInt(4) > 0) {
      int block = 1 + random.nextInt(12);
      specs.causal(block, random.nextInt(block), random.nextBoolean());
      if (random.nextInt(4) == 0) {
        specs.block(1 + random.nextInt(12));
      }
    }
    return specs;
  }

  @Test
  void aSessionDoesNotNoticeItsNeighbours() {
    for (int round = 0; round < 60; round++) {
      List<String> alone = course(0, round);
      assertThat(course(9, round)).isNotEmpty().isEqualTo(alone);
    }
  }

  private static List<String> course(int others, int seed) {
    EngineLimits shared = new EngineLimits(12, 8, 300, 300, 3, 30, 16);
    LoopFixture loop =
        new LoopFixture(
            AttentionKind.FULL_OR_BLOCK_CAUSAL, shared, 10_000, new PagedScript(shared));
    Random random = new Random(seed + 1000);
    return SessionCourse.of(
        loop.loop, random(new Random(seed)).build(), others, () -> random(random).build(), random);
  }
}
