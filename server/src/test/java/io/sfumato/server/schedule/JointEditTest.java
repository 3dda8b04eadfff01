package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.canvas.RevisedToken;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Accepting and editing in one step, with literal proposals for each of a model's passes. */
final class JointEditTest {

  private static final int END = LoopFixture.END_OF_TEXT;

  private final List<int[]> canvases = new ArrayList<>();

  /** A model that proposes of each pass one row of tokens, with confidences beside it. */
  private static ScriptedEngine.Script script(int[][] tokens, float[][] confidences) {
    return (run, batch, candidates) -> {
      StepItem item = batch.item(0);
      int pass = Math.min((int) run, tokens.length) - 1;
      for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
        int row = batch.candidateRows()[candidate];
        int token = tokens[pass][row];
        float confidence = confidences[pass][row];
        candidates.set(candidate, token, confidence, token, confidence, 0, 0, .5f);
      }
    };
  }

  private SessionEvent.Finished finish(ScriptedEngine.Script script, Specs specs) {
    LoopFixture fixture = new LoopFixture(LoopFixture.limits(1, 1, 40), 1, script);
    SessionHandle session = fixture.open(specs.prompt());
    List<SessionEvent> events = new ArrayList<>();
    while (fixture.loop.step()) {
      events.addAll(LoopFixture.drain(session));
    }
    events.addAll(LoopFixture.drain(session));
    LoopFixture.of(events, SessionEvent.CanvasChanged.class)
        .forEach(changed -> canvases.add(changed.snapshot().tokens()));
    return (SessionEvent.Finished) events.getLast();
  }

  private static Specs edit(int length, int postEditSteps) {
    return new Specs()
        .length(length)
        .block(length)
        .acceptance(new AcceptanceSpec.JointEdit(.8f, .7f, postEditSteps));
  }

  @Test
  void whatTheModelIsSurerOfReplacesWhatStands() {
    SessionEvent.Finished finished =
        finish(
            script(
                new int[][] {{1, 2, 3}, {5, 2, 4}, {5, 6, 4}, {5, 7, 4}, {5, 7, 4}},
                new float[][] {
                  {.9f, .5f, .5f}, {.75f, .9f, .9f}, {.9f, .71f, .9f}, {.9f, .7f, .9f}
                }),
            edit(3, 9));
    assertThat(canvases)
        .startsWith(new int[] {1, -1, -1}, new int[] {5, 2, 4}, new int[] {5, 6, 4});
    assertThat(finished.tokens()).containsExactly(5, 6, 4);
    assertThat(finished.reason()).isEqualTo(FinishReason.MAX_LENGTH);
    assertThat(finished.usage().forwardPasses()).as("the last of them edits nothing").isEqualTo(4);
    assertThat(finished.usage().revisions()).isEqualTo(2);
    assertThat(finished.revised())
        .containsExactly(new RevisedToken(0, 1, 5, 2, 1), new RevisedToken(1, 2, 6, 3, 1));
  }

  @Test
  void aFullBlockIsEditedSoOftenOnly() {
    int[][] restless = new int[20][2];
    float[][] sure = new float[20][2];
    for (int pass = 0; pass < restless.length; pass++) {
      Arrays.fill(restless[pass], 1 + pass);
      Arrays.fill(sure[pass], .9f);
    }
    assertThat(finish(script(restless, sure), edit(2, 3)).tokens()).containsExactly(4, 4);
    assertThat(finish(script(restless, sure), edit(2, 0)).tokens()).containsExactly(1, 1);
    assertThat(finish(script(restless, sure), edit(2, 9).steps(2, 1)).tokens())
        .as("the last step of the budget edits nothing")
        .containsExactly(1, 1);
  }

  @Test
  void anEndOfTextCanBeEditedAway() {
    SessionEvent.Finished finished =
        finish(
            script(
                new int[][] {{1, END, 3}, {1, 2, 3}, {1, 2, 3}, {1, 2, 3}},
                new float[][] {{.9f, .9f, .1f}, {.9f, .9f, .9f}, {.9f, .9f, .9f}, {.9f, .9f, .9f}}),
            edit(3, 4).endOfText(END));
    assertThat(finished.tokens()).containsExactly(1, 2, 3);
  }

  @Test
  void pinsStay() {
    Specs specs =
        edit(2, 4)
            .start(new CanvasStart(new int[] {9, -1}, new boolean[] {true, false}, List.of()));
    assertThat(
            finish(script(new int[][] {{1, 2}, {1, 2}}, new float[][] {{1, 1}, {1, 1}}), specs)
                .tokens())
        .containsExactly(9, 2);
  }
}
