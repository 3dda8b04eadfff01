package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.Philox;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** Sessions on canvases of uniform noise, with a model whose every answer is written down here. */
final class UniformCourseTest {

  private static final int NO = CanvasSnapshot.NO_TOKEN;
  private static final int PROMPT = 3;
  private static final int SEED = 5;

  private final EngineLimits limits = new EngineLimits(2, 4, 32, 32, 3, 8, 16);
  private final LoopFixture fixture =
      new LoopFixture(AttentionKind.ENCODER_CANVAS, limits, 10, this::propose);
  private final List<int[]> sent = new ArrayList<>(); // canvases
  private final List<int[]> rows = new ArrayList<>(); // of them
  private final List<Float> temperatures = new ArrayList<>();
  private final int[] best = {20, 21, 22, 23, 24, 25, 26, 27};
  private final float[] entropies = {.5f, .01f, .6f, .02f, .7f, .8f, .9f, 1f};

  /** Draws the token before the best one. */
  private void propose(long run, StepBatch batch, Candidates candidates) {
    StepItem item = batch.item(0);
    if (item.kind() != ItemKind.DENOISE) {
      return;
    }
    int start = item.tokenOffset();
    sent.add(Arrays.copyOfRange(batch.tokens(), start, start + item.tokenCount()));
    rows.add(Arrays.copyOf(batch.candidateRows(), item.candidateCount()));
    temperatures.add(item.temperature());
    for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
      int row = batch.candidateRows()[candidate];
      float probability = 1 / (1 + entropies[row]);
      candidates.set(candidate, best[row] - 1, .1f, best[row], probability, 0, entropies[row], 0);
    }
  }

  private static Specs specs(int length) {
    return new Specs()
        .length(length)
        .seed(SEED)
        .temperature(.8f, .4f)
        .steps(6, 1)
        .acceptance(new AcceptanceSpec.EntropyBound(.02f))
        .uniform(LoopFixture.CANVAS, 1, .05f);
  }

  private static int noise(int position, int step, int block) {
    return Philox.token(
        SEED, PROMPT + position, step, block, Philox.Purpose.RENOISE, LoopFixture.VOCABULARY);
  }

  private static int[] noise(int step, int block) {
    int start = block * LoopFixture.CANVAS;
    return IntStream.range(start, start + LoopFixture.CANVAS)
        .map(position -> noise(position, step, block))
        .toArray();
  }

  private SessionHandle started(Specs specs) {
    SessionHandle session = fixture.open(specs);
    fixture.loop.step(); // the prompt
    assertThat(sent).isEmpty();
    return session;
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

  @Test
  void whatIsAcceptedKeepsItsDrawAndShowsTheBestGuess() {
    SessionHandle session = started(specs(8));
    CanvasSnapshot canvas = step(session);
    assertThat(sent.get(0)).isEqualTo(noise(0, 0));
    assertThat(rows.get(0)).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    // The entropies before the third sum to more than the bound.
    assertThat(canvas.tokens()).containsExactly(NO, 21, NO, 23, NO, NO, NO, NO);
    assertThat(canvas.confidence(1)).isEqualTo(1 / 1.01f);
    step(session);
    int[] second = noise(1, 0);
    second[1] = 20;
    second[3] = 22;
    assertThat(sent.get(1)).isEqualTo(second);
  }

  @Test
  void whatWasAcceptedMayBeNoiseAgain() {
    SessionHandle session = started(specs(8));
    step(session);
    entropies[1] = 2;
    best[3] = 33;
    CanvasSnapshot canvas = step(session);
    assertThat(canvas.tokens()).containsExactly(20, NO, NO, 33, NO, NO, NO, NO);
    step(session);
    assertThat(sent.get(2)[1]).isEqualTo(noise(1, 2, 0));
    assertThat(sent.get(2)[3]).isEqualTo(32);
    assertThat(finish(session).usage().revisions()).isGreaterThanOrEqualTo(2);
  }

  @Test
  void aBlockEndsWhenItsBestGuessesStandStillAndAreSure() {
    SessionHandle session = started(specs(8).steps(40, 1));
    step(session);
    step(session);
    assertThat(((Session) session).state().isOver()).as("stable but not sure").isFalse();
    Arrays.fill(entropies, .04f);
    best[7] = 40;
    step(session);
    assertThat(((Session) session).state().isOver()).as("sure but not stable").isFalse();
    SessionEvent.Finished finished = finish(session);
    assertThat(sent).hasSize(4);
    assertThat(finished.reason()).isEqualTo(FinishReason.MAX_LENGTH);
    assertThat(finished.tokens()).containsExactly(20, 21, 22, 23, 24, 25, 26, 40);
  }

  @Test
  void withoutStableStepsTheFirstStepMayBeTheLast() {
    Arrays.fill(entropies, .04f);
    finish(started(specs(8).uniform(LoopFixture.CANVAS, 0, .05f)));
    assertThat(sent).hasSize(1);
  }

  @Test
  void theLastStepDecidesAllByTheBestGuessAndCanvasesAreWhole() {
    SessionHandle session = started(specs(11));
    SessionEvent.Finished finished = finish(session);
    assertThat(sent).hasSize(12).allMatch(canvas -> canvas.length == 8);
    assertThat(rows.getLast()).hasSize(8);
    assertThat(sent.get(6)).isEqualTo(noise(0, 1));
    assertThat(finished.tokens()).containsExactly(20, 21, 22, 23, 24, 25, 26, 27, 20, 21, 22);
    assertThat(finished.usage().forwardPasses()).isEqualTo(12 + 2);
    assertThat(finished.usage().tokenForwards()).isEqualTo(PROMPT + 12 * 8 + 8);
  }

  @Test
  void temperaturesFallInAStraightLineInEachBlock() {
    finish(started(specs(16)));
    float[] expected = {.8f, .72f, .64f, .56f, .48f, .4f};
    for (int step = 0; step < 12; step++) {
      assertThat(temperatures.get(step)).isCloseTo(expected[step % 6], Offset.offset(1e-6f));
    }
  }

  @Test
  void theTextEndsWhereTheCommittedBlockSays() {
    best[2] = LoopFixture.END_OF_TEXT;
    entropies[0] = 0;
    entropies[2] = 0; // decided at once, and all before it
    SessionHandle session = started(specs(16).endOfText(LoopFixture.END_OF_TEXT));
    CanvasSnapshot canvas = step(session);
    assertThat(canvas.token(2)).isEqualTo(LoopFixture.END_OF_TEXT);
    SessionEvent.Finished finished = finish(session);
    assertThat(sent).hasSize(6);
    assertThat(finished.reason()).isEqualTo(FinishReason.END_OF_TEXT);
    assertThat(finished.tokens()).containsExactly(20, 21);
  }

  @Test
  void pinsAreReadAtEveryStepAndAskedAboutAtNone() {
    int[] tokens = {NO, NO, 50, NO, NO, NO, NO, NO};
    boolean[] pinned = new boolean[8];
    pinned[2] = true;
    SessionHandle session = started(specs(8).start(new CanvasStart(tokens, pinned, List.of())));
    step(session);
    session.control(new Control.PinSpans(1, Optional.empty(), List.of(new PositionRange(1, 1))));
    session.control(
        new Control.EditSpan(2, Optional.empty(), new PositionRange(5, 1), new int[] {51}));
    CanvasSnapshot canvas = step(session);
    assertThat(canvas.state(1)).isEqualTo(TokenState.PINNED);
    assertThat(sent).allMatch(each -> each[2] == 50);
    assertThat(sent.get(1)[1]).as("what was shown, not what was drawn").isEqualTo(21);
    assertThat(sent.get(1)[5]).isEqualTo(51);
    assertThat(rows.get(0)).containsExactly(0, 1, 3, 4, 5, 6, 7);
    assertThat(rows.get(1)).containsExactly(0, 3, 4, 6, 7);
    session.control(new Control.UnpinSpans(3, Optional.empty(), List.of(new PositionRange(5, 1))));
    step(session);
    assertThat(sent.get(2)[5]).isEqualTo(51);
    assertThat(rows.get(2)).containsExactly(0, 3, 4, 5, 6, 7);
    assertThat(finish(session).tokens()).containsExactly(20, 21, 50, 23, 24, 25, 26, 27);
  }

  @Test
  void editsMoveWhatTheModelReads() {
    SessionHandle session = started(specs(8));
    step(session);
    session.control(
        new Control.EditSpan(1, Optional.empty(), new PositionRange(0, 1), new int[] {50, 51}));
    step(session);
    assertThat(sent.get(1)).startsWith(50, 51, 21).contains(23);
    session.control(new Control.BlankSpan(2, Optional.empty(), new PositionRange(0, 1)));
    session.control(
        new Control.ReopenSpans(3, Optional.empty(), List.of(new PositionRange(3, 1)), 1));
    step(session);
    assertThat(sent.get(2)[0]).isEqualTo(noise(0, 2, 0));
    assertThat(sent.get(2)[1]).isEqualTo(51);
    assertThat(sent.get(2)[3]).isEqualTo(noise(3, 2, 0));
    finish(session);
  }

  @Test
  void aBlockThatIsAllTheClientsTakesNoStep() {
    int[] tokens = IntStream.range(0, 16).map(position -> position < 8 ? 40 : NO).toArray();
    boolean[] pinned = new boolean[16];
    Arrays.fill(pinned, 0, 8, true);
    SessionHandle session =
        fixture.open(specs(16).start(new CanvasStart(tokens, pinned, List.of())));
    SessionEvent.Finished finished = finish(session);
    assertThat(sent).hasSize(6);
    assertThat(sent.get(0)).isEqualTo(noise(0, 1));
    assertThat(finished.tokens()).startsWith(40, 40).endsWith(26, 27);
  }

  @Test
  void toFinishTheCanvasIsToEndItWithTheBlockAtWork() {
    SessionHandle session = started(specs(32));
    step(session);
    session.control(new Control.FinishNow(1, Control.Scope.CANVAS));
    SessionEvent.Finished finished = finish(session);
    assertThat(sent).hasSize(2);
    assertThat(finished.reason()).isEqualTo(FinishReason.FINISHED_BY_CLIENT);
    assertThat(finished.tokens()).containsExactly(20, 21, 22, 23, 24, 25, 26, 27);
  }

  @Test
  void aBlockThatIsOnlyNoiseIsNotFinished() {
    SessionHandle session = started(specs(32));
    for (int step = 0; step < 6; step++) {
      step(session);
    }
    session.control(new Control.FinishNow(1, Control.Scope.CANVAS));
    SessionEvent.Finished finished = finish(session);
    assertThat(sent).hasSize(6);
    assertThat(finished.tokens()).hasSize(8);
    sent.clear();
    SessionHandle late = started(specs(32).softDeadline(1_000_000_000));
    for (int step = 0; step < 6; step++) {
      fixture.pass(50_000_000);
      step(late);
    }
    fixture.pass(660_000_000);
    finished = finish(late);
    assertThat(finished.reason()).isEqualTo(FinishReason.SOFT_DEADLINE);
    assertThat(finished.tokens()).hasSize(8);
    assertThat(sent).hasSize(6);
  }

  @Test
  void finishingABlockGoesOnToTheNext() {
    SessionHandle session = started(specs(16));
    step(session);
    session.control(new Control.FinishNow(1, Control.Scope.BLOCK));
    step(session);
    assertThat(finish(session).tokens()).hasSize(16);
    assertThat(sent).hasSize(2 + 6);
  }

  @Test
  void schedulesAndThresholdsKeepTheirShare() {
    AcceptanceSpec quarter =
        new AcceptanceSpec.FixedSchedule(
            4, AcceptanceSpec.Order.LEFTMOST, AcceptanceSpec.Spread.EVEN);
    SessionHandle session = started(specs(8).acceptance(quarter));
    for (int step = 1; step <= 4; step++) {
      assertThat(step(session).count(TokenState.PROVISIONAL)).isEqualTo(2 * step);
    }
    finish(session);
    session = startedAgain(specs(8).acceptance(new AcceptanceSpec.ConfidenceThreshold(.05f)));
    assertThat(step(session).count(TokenState.PROVISIONAL)).isEqualTo(8);
    finish(session);
  }

  private SessionHandle startedAgain(Specs specs) {
    sent.clear();
    return started(specs);
  }

  @Test
  void refusesWhatSuchAModelCannot() {
    refuses(specs(8).guidance(1), "guidance_scale: 1.0 (expected: 0 with a model of uniform");
    refuses(specs(8).revision(.1f, 1), "remask_threshold: 0.1");
    refuses(specs(8).acceptance(new AcceptanceSpec.JointEdit(.9f, .9f, 1)), "acceptance: Joint");
    refuses(specs(8).block(4), "block_length_tokens: 4 (expected: 8");
    refuses(specs(8).window(4), "window_length_tokens: 4");
    int[] draft = {1, 2, 3, 4, 5, 6, 7, 8};
    CanvasStart.NoisySpan half = new CanvasStart.NoisySpan(0, 8, .5f);
    refuses(
        specs(8).start(new CanvasStart(draft, new boolean[8], List.of(half))),
        "canvas[0]: a draft's (expected: pinned, or of a noise of 1");
    refuses(new Specs().causal(8, 0, false), "uniform: absent");
    refuses(specs(8).causal(8, 0, false), "attending: Attending[blockLength=8");
  }

  private void refuses(Specs specs, String message) {
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> fixture.open(specs))
        .withMessageContaining(message);
  }
}
