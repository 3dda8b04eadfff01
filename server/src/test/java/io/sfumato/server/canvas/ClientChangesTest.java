package io.sfumato.server.canvas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What a client's controls do to a canvas, in literal numbers. */
final class ClientChangesTest {

  private static final int NONE = CanvasSnapshot.NO_TOKEN;

  private final Canvas canvas = new Canvas(CanvasStart.undecided(6), 3, 3);

  private static PositionRange at(int start, int length) {
    return new PositionRange(start, length);
  }

  private void write(int... tokens) {
    for (int position = 0; position < tokens.length; position++) {
      if (tokens[position] != NONE) {
        canvas.decide(position, tokens[position], .5f);
      }
    }
  }

  private void shows(String states, int... tokens) {
    StringBuilder letters = new StringBuilder();
    for (int position = 0; position < canvas.length(); position++) {
      letters.append(canvas.state(position).name(), 0, 2).append(' ');
    }
    assertThat(letters.toString().trim()).isEqualTo(states);
    assertThat(canvas.snapshot(0, 0).tokens()).containsExactly(tokens);
    CanvasInvariants.check(canvas);
  }

  @Test
  void pinsAndUnpins() {
    write(1, 2, NONE, 4);
    canvas.pin(List.of(at(0, 2), at(3, 1)));
    shows("PI PI UN PI UN UN", 1, 2, NONE, 4, NONE, NONE);
    assertThat(canvas.lastPinned()).isEqualTo(3);
    canvas.unpin(List.of(at(1, 1), at(3, 1)));
    shows("PI PR UN PR UN UN", 1, 2, NONE, 4, NONE, NONE);
    assertThat(canvas.lastPinned()).isZero();
    assertThat(canvas.changes()).isEqualTo(2);
    assertThatIllegalStateException()
        .isThrownBy(() -> canvas.pin(List.of(at(2, 1))))
        .withMessage("position 2: UNDECIDED (expected: PROVISIONAL)");
  }

  @Test
  void replacesByAsMany() {
    write(1, 2, 3, 4);
    canvas.replace(at(1, 2), new int[] {8, 9});
    shows("PR PI PI PR UN UN", 1, 8, 9, 4, NONE, NONE);
  }

  @Test
  void replacesByMoreAndMovesWhatFollows() {
    write(1, 2, 3, 4);
    canvas.pin(List.of(at(3, 1)));
    canvas.replace(at(1, 1), new int[] {7, 8, 9});
    shows("PR PI PI PI PR PI", 1, 7, 8, 9, 3, 4);
    assertThat(canvas.locate(at(2, 2), 1)).contains(at(4, 2));
    assertThat(canvas.locate(at(0, 1), 1)).contains(at(0, 1));
    assertThat(canvas.locate(at(1, 2), 1)).isEmpty(); // replaced
    assertThat(canvas.locate(at(4, 1), 1)).isEmpty(); // off the canvas
    assertThatIllegalStateException()
        .isThrownBy(() -> canvas.replace(at(0, 1), new int[] {5, 6}))
        .withMessageContaining("tokens: 2");
  }

  @Test
  void replacesByFewerAndMovesWhatFollows() {
    write(1, 2, 3, 4, 5, 6);
    canvas.pin(List.of(at(5, 1)));
    canvas.replace(at(1, 3), new int[] {9});
    shows("PR PI PR PI UN UN", 1, 9, 5, 6, NONE, NONE);
    canvas.replace(at(0, 2), new int[0]);
    shows("PR PI UN UN UN UN", 5, 6, NONE, NONE, NONE, NONE);
    assertThat(canvas.locate(at(5, 1), 1)).contains(at(1, 1));
  }

  @Test
  void replacesTheEnd() {
    write(1, 2, 3, 4, 5, 6);
    canvas.replace(at(5, 1), new int[0]);
    shows("PR PR PR PR PR UN", 1, 2, 3, 4, 5, NONE);
    assertThatIllegalStateException().isThrownBy(() -> canvas.replace(at(5, 1), new int[] {7, 8}));
  }

  @Test
  void blanksAndReopens() {
    write(1, 2, 3, 4);
    canvas.pin(List.of(at(1, 1)));
    canvas.blank(at(0, 2));
    shows("UN UN PR PR UN UN", NONE, NONE, 3, 4, NONE, NONE);
    canvas.reopen(new int[] {3, 0}, 1);
    shows("UN UN PR UN UN UN", NONE, NONE, 3, NONE, NONE, NONE);
  }

  @Test
  void leavesCommittedPositionsAlone() {
    write(1, 2, 3, 4);
    canvas.commitBlock();
    for (PositionRange range : List.of(at(0, 1), at(2, 2))) {
      assertThatIllegalStateException().isThrownBy(() -> canvas.replace(range, new int[] {1}));
      assertThatIllegalStateException().isThrownBy(() -> canvas.blank(range));
    }
    canvas.replace(at(3, 1), new int[] {8, 9});
    shows("CO CO CO PI PI UN", 1, 2, 3, 8, 9, NONE);
  }

  @Test
  void forgetsMovesThatAreLongAgo() {
    for (int edit = 0; edit <= Moves.REMEMBERED; edit++) {
      canvas.replace(at(0, 1), new int[0]);
    }
    assertThat(canvas.locate(at(5, 1), 0)).isEmpty();
    assertThat(canvas.locate(at(5, 1), canvas.changes())).contains(at(5, 1));
  }
}
