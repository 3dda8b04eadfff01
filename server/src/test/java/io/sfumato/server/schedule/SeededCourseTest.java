package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionState;
import io.sfumato.server.session.Template;
import io.sfumato.server.session.Template.ChoiceSlot;
import io.sfumato.server.session.Template.FreeSlot;
import io.sfumato.server.session.Template.Option;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Sessions of masks over a context that is encoded causally, whose blocks begin with a token that
 * the context predicts; with a model whose every answer is written down here.
 */
final class SeededCourseTest {

  private static final int NO = CanvasSnapshot.NO_TOKEN;
  private static final int MASK = LoopFixture.MASK;
  private static final int END = LoopFixture.END_OF_TEXT;
  private static final AcceptanceSpec TWO_STEPS =
      new AcceptanceSpec.FixedSchedule(
          2, AcceptanceSpec.Order.LEFTMOST, AcceptanceSpec.Spread.EVEN);

  private final EngineLimits limits = new EngineLimits(2, 4, 32, 32, 3, 8, 16);
  private final LoopFixture fixture =
      LoopFixture.seeding(limits, 10, Integer.MAX_VALUE, this::propose);
  private final List<String> items = new ArrayList<>();
  private final List<int[]> sent = new ArrayList<>(); // canvases
  private final List<int[]> rows = new ArrayList<>(); // of all items
  private final List<Float> temperatures = new ArrayList<>();
  private final int[] own = {20, 21, 22, 23, 24, 25, 26, 27}; // by place in the canvas sent
  private int next = 50; // what the encoder predicts; one more each time
  private float standing = .5f; // probability of what stands there

  private void propose(long run, StepBatch batch, Candidates candidates) {
    StepItem item = batch.item(0);
    int start = item.tokenOffset();
    int[] asked = Arrays.copyOf(batch.candidateRows(), item.candidateCount());
    items.add(PagedScript.describe(item));
    rows.add(asked);
    temperatures.add(item.temperature());
    if (item.kind() == ItemKind.DENOISE) {
      sent.add(Arrays.copyOfRange(batch.tokens(), start, start + item.tokenCount()));
    }
    for (int candidate = 0; candidate < asked.length; candidate++) {
      int token = item.kind() == ItemKind.DENOISE ? own[asked[candidate]] : next++;
      candidates.set(candidate, token, .6f, token, .6f, .1f, .5f, standing);
    }
  }

  private static Specs specs(int prompt, int length, int block) {
    return new Specs()
        .prompt(IntStream.range(0, prompt).map(position -> position % 19).toArray())
        .length(length)
        .acceptance(TWO_STEPS)
        .encoded(block);
  }

  private static CanvasStart start(boolean isPinned, int... tokens) {
    boolean[] pinned = new boolean[tokens.length];
    for (int position = 0; position < tokens.length; position++) {
      pinned[position] = isPinned && tokens[position] != NO;
    }
    return new CanvasStart(tokens, pinned, List.of());
  }

  private CanvasSnapshot step(SessionHandle session) {
    fixture.loop.step();
    fixture.loop.checkInvariants();
    return LoopFixture.of(LoopFixture.drain(session), SessionEvent.CanvasChanged.class)
        .getLast()
        .snapshot();
  }

  private SessionEvent.Finished finish(SessionHandle session) {
    fixture.finish();
    return (SessionEvent.Finished) LoopFixture.drain(session).getLast();
  }

  private SessionEvent.Finished finish(Specs specs) {
    return finish(fixture.open(specs));
  }

  @Test
  void theLastRowOfTheContextDecidesTheFirstTokenOfEachBlock() {
    SessionHandle session = fixture.open(specs(3, 12, 8).temperature(.7f));
    CanvasSnapshot canvas = step(session);
    assertThat(canvas.tokens()).startsWith(50, NO, NO).doesNotContain(51);
    assertThat(canvas.state(0)).isEqualTo(TokenState.PROVISIONAL);
    assertThat(canvas.confidence(0)).isEqualTo(.6f);
    assertThat(canvas.step()).as("none of the block's").isZero();
    assertThat(canvas.totalSteps()).isEqualTo(1);
    assertThat(((Session) session).state()).isEqualTo(SessionState.DENOISING);
    step(session);
    assertThat(sent.get(0)).containsExactly(50, MASK, MASK, MASK, MASK, MASK, MASK, MASK);
    fixture.finish();
    List<SessionEvent> events = LoopFixture.drain(session);
    SessionEvent.Finished finished = (SessionEvent.Finished) events.getLast();
    assertThat(finished.reason()).isEqualTo(FinishReason.MAX_LENGTH);
    assertThat(finished.tokens()).containsExactly(50, 21, 22, 23, 24, 25, 26, 27, 51, 21, 22, 23);
    assertThat(items)
        .containsExactly(
            "PREFILL 0+3",
            "DENOISE 3+8",
            "DENOISE 3+8",
            "COMMIT 3+8 of them 8",
            "DENOISE 11+4",
            "DENOISE 11+4");
    assertThat(rows.get(0)).containsExactly(2);
    assertThat(rows.get(3)).containsExactly(7);
    assertThat(temperatures).containsOnly(.7f);
    assertThat(finished.usage().forwardPasses()).isEqualTo(6);
    assertThat(finished.usage().tokenForwards()).isEqualTo(3 + 3 * 8 + 2 * 4);
    assertThat(LoopFixture.of(events, SessionEvent.BlockCommitted.class))
        .extracting(SessionEvent.BlockCommitted::steps)
        .containsExactly(2, 2);
  }

  @Test
  void aLongPromptIsReadInChunksOfWhichTheLastPredicts() {
    SessionHandle session = fixture.open(specs(70, 8, 8));
    fixture.loop.step();
    fixture.loop.step();
    assertThat(((Session) session).state()).isEqualTo(SessionState.PREFILLING);
    assertThat(((Session) session).totalSteps()).isZero();
    finish(session);
    assertThat(items).startsWith("PREFILL 0+32", "PREFILL 32+32", "PREFILL 64+6");
    assertThat(rows.subList(0, 2)).allMatch(each -> each.length == 0);
    assertThat(rows.get(2)).containsExactly(5);
  }

  @Test
  void aPromptThatWasReadBeforeLeavesATokenToPredictFrom() {
    finish(specs(32, 4, 4));
    items.clear();
    SessionEvent.Finished again = finish(specs(32, 4, 4));
    assertThat(items).startsWith("PREFILL 16+16", "DENOISE 32+4");
    assertThat(again.usage().cachedPromptTokens()).isEqualTo(16);
    assertThat(again.tokens()).startsWith(51);
    items.clear();
    assertThat(finish(specs(33, 4, 4)).usage().cachedPromptTokens()).isEqualTo(32);
    assertThat(items).startsWith("PREFILL 32+1");
  }

  @Test
  void whatStandsThereIsNotPredicted() {
    SessionEvent.Finished finished =
        finish(specs(3, 8, 4).start(start(true, 40, NO, NO, NO, 41, NO, NO, NO)));
    assertThat(finished.tokens()).containsExactly(40, 21, 22, 23, 41, 21, 22, 23);
    assertThat(rows.get(0)).isEmpty();
    assertThat(sent).allMatch(canvas -> canvas[0] == 40 || canvas[0] == 41);
    assertThat(next).isEqualTo(50);
    finished = finish(specs(3, 4, 4).start(start(false, 40, NO, NO, NO)));
    assertThat(finished.tokens()).containsExactly(40, 21, 22, 23);
    assertThat(next).as("nor what a draft has").isEqualTo(50);
  }

  @Test
  void aSeedThatIsOpenedAgainIsDecidedInItsBlock() {
    SessionHandle session = fixture.open(specs(3, 4, 4));
    step(session);
    session.control(
        new Control.ReopenSpans(1, Optional.empty(), List.of(new PositionRange(0, 1)), 1));
    step(session);
    assertThat(sent.get(0)).containsExactly(MASK, MASK, MASK, MASK);
    assertThat(finish(session).tokens()).containsExactly(20, 21, 22, 23);
  }

  @Test
  void editsAndPinsAreSentWithTheBlock() {
    SessionHandle session = fixture.open(specs(3, 4, 4));
    step(session);
    session.control(
        new Control.EditSpan(1, Optional.empty(), new PositionRange(0, 2), new int[] {44, 45}));
    assertThat(finish(session).tokens()).containsExactly(44, 45, 22, 23);
    assertThat(sent.get(0)).containsExactly(44, 45, MASK, MASK);
  }

  @Test
  void aPinMayComeBeforeThePrediction() {
    SessionHandle session = fixture.open(specs(70, 4, 4));
    fixture.loop.step();
    session.control(
        new Control.EditSpan(1, Optional.empty(), new PositionRange(0, 1), new int[] {44}));
    assertThat(finish(session).tokens()).containsExactly(44, 21, 22, 23);
    assertThat(next).isEqualTo(50);
  }

  @Test
  void aPredictedEndOfTextEndsTheText() {
    next = END - 1;
    SessionEvent.Finished finished = finish(specs(3, 12, 4).endOfText(END));
    assertThat(finished.reason()).isEqualTo(FinishReason.END_OF_TEXT);
    assertThat(finished.tokens()).containsExactly(END - 1, 21, 22, 23);
    assertThat(items).endsWith("COMMIT 3+4 of them 4");
  }

  @Test
  void theBudgetOfABlockIsForItsOwnSteps() {
    SessionHandle session = fixture.open(specs(3, 8, 4).steps(1, 1));
    fixture.finish();
    assertThat(
            LoopFixture.of(LoopFixture.drain(session), SessionEvent.BlockCommitted.class).stream()
                .map(SessionEvent.BlockCommitted::steps))
        .containsExactly(1, 1);
    assertThat(sent).hasSize(2);
  }

  @Test
  void aScheduleSharesOutWhatTheSeedLeaves() {
    AcceptanceSpec threeSteps =
        new AcceptanceSpec.FixedSchedule(
            3, AcceptanceSpec.Order.LEFTMOST, AcceptanceSpec.Spread.EVEN);
    finish(specs(3, 8, 8).acceptance(threeSteps));
    assertThat(rows.stream().map(each -> each.length)).containsExactly(1, 7, 4, 2);
  }

  @Test
  void aSingleTokenNeedsNoStepOfItsBlock() {
    assertThat(finish(specs(3, 2, 1)).tokens()).containsExactly(50, 51);
    assertThat(items).containsExactly("PREFILL 0+3", "COMMIT 3+1 of them 1");
  }

  @Test
  void withoutAPromptTheFirstBlockDecidesAllItself() {
    assertThat(finish(specs(0, 6, 4)).tokens()).containsExactly(20, 21, 22, 23, 50, 21);
    assertThat(items).startsWith("DENOISE 0+4", "DENOISE 0+4", "COMMIT 0+4 of them 4");
  }

  @Test
  void aBlockThatIsAllTheClientsPredictsTheNext() {
    SessionEvent.Finished finished =
        finish(specs(3, 8, 4).start(start(true, 40, 41, 42, 43, NO, NO, NO, NO)));
    assertThat(finished.tokens()).containsExactly(40, 41, 42, 43, 50, 21, 22, 23);
    assertThat(items).startsWith("PREFILL 0+3", "COMMIT 3+4 of them 4", "DENOISE 7+4");
    assertThat(rows.get(0)).isEmpty();
  }

  @Test
  void toFinishTheCanvasIsToEndItWithTheBlockAtWork() {
    SessionHandle session = fixture.open(specs(3, 32, 8));
    step(session);
    session.control(new Control.FinishNow(1, Control.Scope.CANVAS));
    SessionEvent.Finished finished = finish(session);
    assertThat(sent).hasSize(1);
    assertThat(finished.reason()).isEqualTo(FinishReason.FINISHED_BY_CLIENT);
    assertThat(finished.tokens()).hasSize(8);
  }

  @Test
  void aBlockOfNoMoreThanItsSeedIsNotFinished() {
    SessionHandle session = fixture.open(specs(3, 32, 8));
    for (int step = 0; step < 4; step++) {
      step(session);
    }
    assertThat(((Session) session).canvas().token(8)).isEqualTo(51);
    session.control(new Control.FinishNow(1, Control.Scope.CANVAS));
    assertThat(finish(session).tokens()).hasSize(8);
    SessionHandle pinned = fixture.open(specs(3, 32, 8));
    for (int step = 0; step < 4; step++) {
      step(pinned);
    }
    pinned.control(new Control.PinSpans(1, Optional.empty(), List.of(new PositionRange(8, 1))));
    pinned.control(new Control.FinishNow(2, Control.Scope.CANVAS));
    assertThat(finish(pinned).tokens()).hasSize(16);
  }

  @Test
  void aSoftDeadlineHurriesAllBlocks() {
    AcceptanceSpec slow =
        new AcceptanceSpec.FixedSchedule(
            8, AcceptanceSpec.Order.LEFTMOST, AcceptanceSpec.Spread.EVEN);
    SessionHandle session =
        fixture.open(specs(3, 24, 8).acceptance(slow).softDeadline(1_000_000_000));
    for (boolean running = true; running; ) {
      fixture.pass(80_000_000);
      running = fixture.loop.step();
    }
    SessionEvent.Finished finished = (SessionEvent.Finished) LoopFixture.drain(session).getLast();
    assertThat(finished.tokens()).hasSize(24);
    assertThat(finished.timing().totalNanos()).isLessThan(1_000_000_000);
    assertThat(sent.size()).isBetween(4, 12);
  }

  @Test
  void aTemplateIsFinishedUpToItsLastPart() {
    Template template =
        new Template(
            List.of(
                new FreeSlot("free", 0, 3, token -> false),
                new ChoiceSlot(
                    "choice",
                    4,
                    1,
                    List.of(new Option("a", new int[] {30}), new Option("b", new int[] {31}))),
                new FreeSlot("last", 5, 2, token -> false)),
            END,
            8);
    Specs specs =
        specs(3, 8, 4).start(start(true, NO, NO, NO, 40, NO, NO, NO, 41)).template(template);
    SessionHandle session = fixture.open(specs.endOfText(END));
    step(session);
    session.control(new Control.FinishNow(1, Control.Scope.CANVAS));
    SessionEvent.Finished finished = finish(session);
    assertThat(finished.tokens()).containsExactly(50, 21, 22, 40, 30, 21, 22, 41);
    assertThat(next).as("a choice is not predicted").isEqualTo(51);
    assertThat(sent).hasSize(2);
  }

  @Test
  void aSlotThatEndsWithItsSeedIsPadded() {
    next = END;
    Template template =
        new Template(List.of(new FreeSlot("free", 0, 3, token -> token == 33)), END, 4);
    Specs specs = specs(3, 4, 4).start(start(true, NO, NO, NO, 40)).template(template);
    SessionEvent.Finished finished = finish(specs.endOfText(END));
    assertThat(finished.tokens()).containsExactly(END, END, END, 40);
    assertThat(sent).isEmpty();
  }

  @Test
  void draftsAreRewrittenWhollyOrInOneBlock() {
    int[] draft = {40, 41, 42, 43, 44, 45, 46, 47};
    CanvasStart.NoisySpan whole = new CanvasStart.NoisySpan(0, 8, 1);
    assertThat(
            finish(specs(3, 8, 4).start(new CanvasStart(draft, new boolean[8], List.of(whole))))
                .tokens())
        .containsExactly(50, 21, 22, 23, 51, 21, 22, 23);
    sent.clear();
    CanvasStart.NoisySpan half = new CanvasStart.NoisySpan(0, 8, .5f);
    CanvasStart start = new CanvasStart(draft, new boolean[8], List.of(half));
    standing = .1f;
    SessionHandle session = fixture.open(specs(3, 8, 8).start(start));
    fixture.loop.step();
    assertThat(((Session) session).state()).isEqualTo(SessionState.SCORING);
    assertThat(step(session).count(TokenState.UNDECIDED)).isEqualTo(4);
    assertThat(sent.get(0)).isEqualTo(draft);
    assertThat(finish(session).tokens()).containsExactly(20, 21, 22, 23, 44, 45, 46, 47);
    refuses(
        specs(3, 8, 4).start(start),
        "segments.noise: 0.5 (expected: 0, 1, or a canvas of one block with a model that sees");
  }

  @Test
  void revisionAndJointEditsReconsiderASeed() {
    standing = .01f;
    SessionEvent.Finished finished = finish(specs(3, 4, 4).revision(.05f, 1));
    assertThat(finished.tokens()).containsExactly(20, 21, 22, 23);
    finished = finish(specs(3, 4, 4).acceptance(new AcceptanceSpec.JointEdit(.5f, .5f, 2)));
    assertThat(finished.tokens()).containsExactly(20, 21, 22, 23);
  }

  @Test
  void refusesWhatSuchAModelCannot() {
    refuses(specs(3, 8, 8).guidance(1), "guidance_scale: 1.0 (expected: 0 with a model that sees");
    refuses(specs(3, 16, 16), "block_length_tokens: 16 (expected: 1..8)");
    refuses(specs(3, 8, 8).causal(1, 0, false), "attending: Attending[blockLength=1");
    refuses(specs(3, 8, 8).uniform(8, 1, .1f), "uniform: set (expected: absent");
    List<Option> options =
        List.of(new Option("a", new int[] {1, 2}), new Option("b", new int[] {3}));
    Template across = new Template(List.of(new ChoiceSlot("mood", 3, 2, options)), END, 8);
    refuses(
        specs(3, 8, 4).template(across),
        "choice_slot mood: tokens 3..4 (expected: within one block of 4 with a model that sees");
    assertThat(finish(specs(3, 8, 8).template(across)).tokens()).hasSize(8);
  }

  private void refuses(Specs specs, String message) {
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> fixture.open(specs))
        .withMessageContaining(message)
        .extracting(ServingException::reason)
        .isIn(ErrorReason.MODEL_CAPABILITY, ErrorReason.INVALID_FIELD);
  }
}
