package io.sfumato.server.app.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SelectionTest {

  private static final int LENGTH = 8;

  @Test
  void movesAsAWholeAndStopsAtTheEnds() {
    Selection selection = new Selection(2, 4);
    assertThat(selection.moved(1, LENGTH)).hasToString("3..5");
    assertThat(selection.moved(-10, LENGTH)).hasToString("0..2");
    assertThat(selection.moved(10, LENGTH)).hasToString("5..7");
    assertThat(new Selection(4, 2).moved(10, LENGTH)).isEqualTo(new Selection(7, 5));
  }

  @Test
  void oneEndMovesAndMayPassTheOther() {
    Selection selection = Selection.at(2).extended(2, LENGTH);
    assertThat(selection).hasToString("2..4");
    assertThat(selection.extended(-1, LENGTH)).hasToString("2..3");
    assertThat(selection.extended(-3, LENGTH)).hasToString("1..2");
    assertThat(selection.extended(-9, LENGTH)).hasToString("0..2");
    assertThat(selection.extended(9, LENGTH)).hasToString("2..7");
    assertThat(Selection.at(5)).hasToString("5");
  }

  @Test
  void containsItsEnds() {
    Selection selection = new Selection(4, 2);
    assertThat(selection.contains(1)).isFalse();
    assertThat(selection.contains(2)).isTrue();
    assertThat(selection.contains(4)).isTrue();
    assertThat(selection.contains(5)).isFalse();
    assertThat(Selection.NONE.contains(-1)).isFalse();
    assertThat(selection.range().getStart()).isEqualTo(2);
    assertThat(selection.range().getLength()).isEqualTo(3);
  }
}
