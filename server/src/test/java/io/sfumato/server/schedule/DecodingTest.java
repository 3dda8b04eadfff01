package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.canvas.CanvasStart.NoisySpan;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What one session does with literal proposals of a model, step by step. */
final class DecodingTest {

  private static final int MASK = LoopFixture.MASK;
  private static final int END = LoopFixture.END_OF_TEXT;

  private final List<SessionEvent> events = new ArrayList<>();
  private LoopFixture fixture;
  private SessionHandle session;

  private void open(TableScript script, Specs specs) {
    fixture = new LoopFixture(LoopFixture.limits(2, 4, 400), 2, script);
    session = fixture.open(specs);
  }

  private CanvasSnapshot step() {
    fixture.loop.step();
    events.addAll(LoopFixture.drain(session));
    List<SessionEvent.CanvasChanged> canvases =
        LoopFixture.of(events, SessionEvent.CanvasChanged.class);
    return canvases.isEmpty() ? null : canvases.getLast().snapshot();
  }

  private SessionEvent.Finished finish() {
    fixture.finish();
    events.addAll(LoopFixture.drain(session));
    return (SessionEvent.Finished) events.getLast();
  }

  @Test
  void sendsPromptAndCanvasWithMasksAndAsksForUndecidedPositionsOfTheBlock() {
    TableScript script = new TableScript(7).confidences(0, 0, 0, .1f, .95f, .2f, .99f);
    open(script, new Specs().prompt(1, MASK, 3).length(4).block(2));
    CanvasSnapshot canvas = step();
    assertThat(script.lastTokens).containsExactly(1, MASK, 3, MASK, MASK, MASK, MASK);
    assertThat(script.lastRows).containsExactly(3, 4);
    assertThat(canvas.tokens()).containsExactly(-1, 14, -1, -1);
    assertThat(canvas.confidence(1)).isEqualTo(.95f);
    canvas = step();
    assertThat(script.lastTokens).containsExactly(1, MASK, 3, MASK, 14, MASK, MASK);
    assertThat(script.lastRows).containsExactly(3);
    assertThat(canvas.state(0)).isEqualTo(TokenState.COMMITTED);
    assertThat(canvas.block()).isEqualTo(1);
    SessionEvent.Finished finished = finish();
    assertThat(finished.tokens()).containsExactly(13, 14, 15, 16);
    assertThat(finished.reason()).isEqualTo(FinishReason.MAX_LENGTH);
    assertThat(finished.usage().forwardPasses()).isEqualTo(4);
    assertThat(finished.usage().tokenForwards()).isEqualTo(28);
    List<SessionEvent.BlockCommitted> blocks =
        LoopFixture.of(events, SessionEvent.BlockCommitted.class);
    assertThat(blocks).extracting(SessionEvent.BlockCommitted::start).containsExactly(0, 2);
    assertThat(blocks).extracting(SessionEvent.BlockCommitted::steps).containsExactly(2, 2);
  }

  @Test
  void temperaturesMoveInAStraightLineOverTheStepsOfABlock() {
    TableScript script = new TableScript(8);
    open(script, new Specs().prompt().length(8).block(4).steps(4, 1).temperature(.9f, 0));
    finish();
    assertThat(script.temperatures).hasSize(8);
    for (int step = 0; step < 8; step++) {
      assertThat(script.temperatures.get(step)).isCloseTo(.3f * (3 - step % 4), offset(1e-6f));
    }
  }

  @Test
  void acceptsWithinTheWindowOnly() {
    TableScript script = new TableScript(6).confidences(.1f, .2f, .95f, .99f, .99f, .99f);
    open(script, new Specs().prompt().length(6).block(6).window(2));
    assertThat(step().tokens()).containsExactly(-1, 11, -1, -1, -1, -1);
    assertThat(script.lastRows).containsExactly(0, 1);
    assertThat(step().tokens()).containsExactly(10, 11, -1, -1, -1, -1);
    assertThat(step().tokens()).containsExactly(10, 11, 12, 13, -1, -1);
    assertThat(script.lastRows).containsExactly(2, 3);
  }

  @Test
  void endsAsSoonAsEndOfTextAndAllBeforeItAreDecided() {
    TableScript script =
        new TableScript(6).confidences(.1f, .95f, .95f, .2f, .3f, .4f).token(2, END).token(4, END);
    open(script, new Specs().prompt().length(6).block(6).endOfText(END));
    assertThat(step().tokens()).containsExactly(-1, 11, END, -1, -1, -1);
    CanvasSnapshot canvas = step();
    assertThat(script.lastRows).as("nothing is asked beyond the end").containsExactly(0);
    assertThat(canvas.tokens()).containsExactly(10, 11, -1, -1, -1, -1);
    SessionEvent.Finished finished = finish();
    assertThat(finished.reason()).isEqualTo(FinishReason.END_OF_TEXT);
    assertThat(finished.tokens()).containsExactly(10, 11);
    assertThat(finished.usage().committedTokens()).isEqualTo(2);
  }

  @Test
  void stopTokensEndTooAndAreReportedAsSuch() {
    open(
        new TableScript(3),
        new Specs().prompt().length(3).block(3).steps(1, 1).stop(11).endOfText(END));
    SessionEvent.Finished finished = finish();
    assertThat(finished.reason()).isEqualTo(FinishReason.STOP_TOKEN);
    assertThat(finished.tokens()).containsExactly(10);
  }

  @Test
  void theLastStepOfTheBudgetTakesEverythingLeft() {
    open(
        new TableScript(8),
        new Specs().prompt().length(8).block(8).window(2).steps(3, 1).revision(.9f, 3));
    assertThat(step().count(TokenState.UNDECIDED)).isEqualTo(7);
    assertThat(step().count(TokenState.UNDECIDED)).isEqualTo(6);
    assertThat(finish().usage().forwardPasses()).isEqualTo(3);
  }

  @Test
  void revisionOpensDoubtedTokensAgainButNotForever() {
    TableScript script = new TableScript(3).confidences(.95f, .1f, .1f);
    script.inputProbabilities[0] = .05f;
    open(script, new Specs().prompt().length(3).block(3).revision(.1f, 2));
    assertThat(step().tokens()).containsExactly(10, -1, -1);
    CanvasSnapshot canvas = step();
    assertThat(script.lastRows).containsExactly(0, 1, 2);
    assertThat(canvas.tokens())
        .as("position 1 is the best open one, 0 is doubted")
        .containsExactly(-1, 11, -1);
    assertThat(step().tokens()).containsExactly(10, 11, -1);
    canvas = step();
    assertThat(canvas.tokens())
        .as("a block does not end with the pass that doubts it")
        .containsExactly(-1, 11, 12);
    SessionEvent.Finished finished = finish();
    assertThat(finished.usage().forwardPasses()).isEqualTo(5);
    assertThat(finished.usage().revisions()).isEqualTo(2);
    assertThat(finished.tokens()).containsExactly(10, 11, 12);
  }

  @Test
  void revisionNeverTouchesPinsAndUpdatesConfidences() {
    TableScript script = new TableScript(3).confidences(.95f, .1f, .1f);
    Arrays.fill(script.inputProbabilities, .4f);
    CanvasStart start =
        new CanvasStart(new int[] {-1, 7, -1}, new boolean[] {false, true, false}, List.of());
    open(script, new Specs().prompt().start(start).block(3).revision(.1f, 2));
    step();
    CanvasSnapshot canvas = step();
    assertThat(script.lastRows).containsExactly(0, 2);
    assertThat(canvas.confidence(0)).isEqualTo(.4f);
    assertThat(finish().tokens()).containsExactly(10, 7, 12);
  }

  @Test
  void aDraftIsShownWholeAndItsLeastProbableShareOpened() {
    TableScript script = new TableScript(6);
    System.arraycopy(
        new float[] {.9f, .2f, .5f, .3f, .01f, .8f}, 0, script.inputProbabilities, 0, 6);
    CanvasStart start =
        new CanvasStart(
            new int[] {20, 21, 22, 23, 24, 25},
            new boolean[] {false, false, false, false, true, false},
            List.of(new NoisySpan(0, 6, .4f)));
    open(script, new Specs().prompt().start(start).block(6));
    CanvasSnapshot canvas = step();
    assertThat(script.lastTokens).containsExactly(20, 21, 22, 23, 24, 25);
    assertThat(script.lastRows).as("the pin is not asked about").containsExactly(0, 1, 2, 3, 5);
    assertThat(canvas.tokens()).containsExactly(20, -1, 22, -1, 24, 25);
    assertThat(canvas.totalSteps()).isEqualTo(1);
    assertThat(canvas.step()).isZero();
    SessionEvent.Finished finished = finish();
    assertThat(finished.tokens()).containsExactly(20, 11, 22, 13, 24, 25);
    assertThat(finished.usage().forwardPasses()).isEqualTo(3);
    assertThat(finished.usage().revisions()).isZero();
  }

  @Test
  void aDraftWithoutNoiseIsCommittedAsItIs() {
    CanvasStart start =
        new CanvasStart(
            new int[] {20, 21}, new boolean[] {false, true}, List.of(new NoisySpan(0, 1, 0)));
    open(new TableScript(2), new Specs().prompt().start(start).block(1));
    SessionEvent.Finished finished = finish();
    assertThat(finished.tokens()).containsExactly(20, 21);
    assertThat(fixture.engine.runs()).isZero();
  }

  @Test
  void withRevisionEvenAFinishedDraftIsLookedAtOnce() {
    TableScript script = new TableScript(2);
    script.inputProbabilities[1] = .05f;
    CanvasStart start = new CanvasStart(new int[] {20, 21}, new boolean[2], List.of());
    open(script, new Specs().prompt().start(start).block(2).revision(.1f, 1));
    assertThat(step().tokens()).containsExactly(20, -1);
    assertThat(finish().tokens()).containsExactly(20, 11);
  }

  @Test
  void guidanceAddsAnItemWithTheWholePromptMasked() {
    List<int[]> sent = new ArrayList<>();
    TableScript table = new TableScript(4);
    fixture =
        new LoopFixture(
            LoopFixture.limits(2, 4, 400),
            2,
            (run, batch, candidates) -> {
              assertThat(batch.itemCount()).isEqualTo(2);
              assertThat(batch.item(0).guidanceItem()).isEqualTo(1);
              assertThat(batch.item(0).guidanceScale()).isEqualTo(1.5f);
              assertThat(batch.item(1).candidateCount()).isZero();
              sent.add(Arrays.copyOf(batch.tokens(), batch.tokenCount()));
              table.propose(run, batch, candidates);
            });
    session = fixture.open(new Specs().prompt(1, 2).length(2).block(2).steps(1, 1).guidance(1.5f));
    SessionEvent.Finished finished = finish();
    assertThat(sent).hasSize(1);
    assertThat(sent.getFirst()).containsExactly(1, 2, MASK, MASK, MASK, MASK, MASK, MASK);
    assertThat(finished.usage().forwardPasses()).isEqualTo(2);
    assertThat(finished.usage().tokenForwards()).isEqualTo(8);
  }

  @Test
  void finishNowDecidesTheBlockOrTheCanvasWithOneMoreStep() {
    open(new TableScript(6), new Specs().prompt().length(6).block(3));
    step();
    session.control(new Control.FinishNow(7, Control.Scope.BLOCK));
    CanvasSnapshot canvas = step();
    assertThat(events).contains(new SessionEvent.ControlApplied(7, 2));
    assertThat(canvas.count(TokenState.COMMITTED)).isEqualTo(3);
    step();
    session.control(new Control.FinishNow(8, Control.Scope.CANVAS));
    SessionEvent.Finished finished = finish();
    assertThat(events).contains(new SessionEvent.ControlApplied(8, 4));
    assertThat(finished.reason()).isEqualTo(FinishReason.FINISHED_BY_CLIENT);
    assertThat(finished.tokens()).containsExactly(10, 11, 12, 13, 14, 15);
    assertThat(finished.usage().forwardPasses()).isEqualTo(4);
  }

  @Test
  void stopAfterBlockEndsThere() {
    open(new TableScript(6), new Specs().prompt().length(6).block(3));
    session.control(new Control.StopAfterBlock(5));
    SessionEvent.Finished finished = finish();
    assertThat(finished.reason()).isEqualTo(FinishReason.FINISHED_BY_CLIENT);
    assertThat(finished.tokens()).containsExactly(10, 11, 12);
    assertThat(events).contains(new SessionEvent.ControlApplied(5, 1));
  }

  @Test
  void stopAtCutsTheCommittedTextAndIsNotAnswered() {
    open(
        new TableScript(6),
        new Specs()
            .prompt()
            .length(6)
            .block(3)
            .acceptance(new AcceptanceSpec.ConfidenceThreshold(.5f)));
    step();
    session.control(new Control.StopAt(-1, 2));
    SessionEvent.Finished finished = finish();
    assertThat(finished.reason()).isEqualTo(FinishReason.STOP_TEXT);
    assertThat(finished.tokens()).containsExactly(10, 11);
    assertThat(LoopFixture.of(events, SessionEvent.ControlApplied.class)).isEmpty();
    assertThat(fixture.engine.runs()).isEqualTo(1);
  }

  @Test
  void timesAreMeasuredFromArrival() {
    open(new TableScript(2), new Specs().prompt().length(2).block(2));
    fixture.pass(100);
    step();
    fixture.pass(30);
    SessionEvent.Finished finished = finish();
    assertThat(finished.timing().queueNanos()).isEqualTo(100);
    assertThat(finished.timing().firstCanvasNanos()).isEqualTo(100);
    assertThat(finished.timing().totalNanos()).isEqualTo(130);
  }

  @Test
  void aReaderThatComesLateGetsEverythingCommittedAndOneCanvas() {
    open(new TableScript(6), new Specs().prompt().length(6).block(2));
    fixture.finish();
    assertThat(LoopFixture.drain(session))
        .extracting(event -> event.getClass().getSimpleName())
        .containsExactly(
            "Accepted",
            "BlockCommitted",
            "BlockCommitted",
            "BlockCommitted",
            "CanvasChanged",
            "Finished");
  }
}
