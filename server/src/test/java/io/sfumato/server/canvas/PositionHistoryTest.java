package io.sfumato.server.canvas;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What is remembered of the positions of a canvas, in literal numbers. */
final class PositionHistoryTest {

  private static final int NONE = CanvasSnapshot.NO_TOKEN;

  private final Canvas canvas =
      new Canvas(
          new CanvasStart(new int[] {1, 2, 3, NONE, NONE, NONE}, new boolean[6], List.of()), 6, 6);

  private void decide(int step, int position, int token) {
    canvas.history().atStep(step);
    canvas.decide(position, token, .5f);
  }

  @Test
  void tellsWhatReplacedADraft() {
    canvas.open(1);
    decide(4, 1, 9);
    canvas.open(2);
    decide(4, 2, 3); // the same again
    decide(4, 3, 7); // nothing stood there
    assertThat(canvas.history().revisedTokens(6)).containsExactly(new RevisedToken(1, 2, 9, 4, 1));
    assertThat(canvas.history().revisedTokens(1)).isEmpty();
  }

  @Test
  void countsEveryReplacementAndKeepsTheFirstToken() {
    decide(1, 3, 7);
    canvas.revise(3);
    decide(2, 3, 8);
    canvas.revise(3);
    decide(5, 3, 7);
    assertThat(canvas.history().revisedTokens(6)).containsExactly(new RevisedToken(3, 7, 7, 5, 2));
    assertThat(canvas.history().revisions(3)).isEqualTo(2);
    assertThat(canvas.history().totalRevisions()).isEqualTo(2);
  }

  @Test
  void movesWithTheTextAndBeginsAnewWhereTheClientWrites() {
    canvas.open(1);
    decide(1, 1, 9);
    canvas.open(2);
    decide(2, 2, 8);
    Alternatives alternatives = new Alternatives(new int[] {8, 4}, new float[] {.5f, .25f});
    canvas.history().consider(2, alternatives);
    canvas.replace(new PositionRange(1, 1), new int[] {5, 6});
    assertThat(canvas.history().revisedTokens(6)).containsExactly(new RevisedToken(3, 3, 8, 2, 1));
    CanvasSnapshot snapshot = canvas.snapshot(2, 2);
    assertThat(snapshot.alternatives(3)).isEqualTo(alternatives);
    assertThat(snapshot.alternatives(2)).isEqualTo(Alternatives.NONE);
    canvas.unpin(List.of(new PositionRange(1, 1)));
    canvas.open(1);
    decide(3, 1, 2); // not the client's token
    assertThat(canvas.history().revisedTokens(2)).containsExactly(new RevisedToken(1, 5, 2, 3, 1));
    canvas.blank(new PositionRange(0, 6));
    assertThat(canvas.history().revisedTokens(6)).isEmpty();
    assertThat(canvas.snapshot(3, 3).alternatives(3)).isEqualTo(Alternatives.NONE);
  }

  @Test
  void aSnapshotKeepsItsAlternatives() {
    assertThat(canvas.snapshot(0, 0).alternatives(0)).isEqualTo(Alternatives.NONE);
    Alternatives alternatives = new Alternatives(new int[] {3}, new float[] {1});
    canvas.history().consider(0, alternatives);
    CanvasSnapshot before = canvas.snapshot(1, 1);
    canvas.history().consider(0, Alternatives.NONE);
    assertThat(before.alternatives(0)).isEqualTo(alternatives);
  }
}
