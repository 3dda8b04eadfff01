package io.sfumato.server.canvas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CanvasDiffTest {

  private static final TokenState U = TokenState.UNDECIDED;
  private static final TokenState P = TokenState.PROVISIONAL;
  private static final TokenState C = TokenState.COMMITTED;

  private static List<CanvasSpan> between(
      CanvasSnapshot previous, CanvasSnapshot next, boolean confidences) {
    return CanvasDiff.between(previous, next, confidences, position -> false);
  }

  @Test
  void allIsRunsOfEqualState() {
    CanvasSnapshot canvas = canvas(new int[] {1, 2, -1, -1, 3}, C, C, U, U, P);
    assertThat(CanvasDiff.all(canvas))
        .containsExactly(new CanvasSpan(0, 2, C), new CanvasSpan(2, 2, U), new CanvasSpan(4, 1, P));
  }

  @Test
  void betweenIsRunsOfChangedPositions() {
    CanvasSnapshot before = canvas(new int[] {1, 2, -1, -1, 3, 4}, P, P, U, U, P, P);
    CanvasSnapshot after = canvas(new int[] {1, 7, 8, -1, -1, 4}, P, P, P, U, U, P);
    assertThat(between(before, after, false))
        .containsExactly(new CanvasSpan(1, 2, P), new CanvasSpan(4, 1, U));
    assertThat(between(after, after, true)).isEmpty();
  }

  @Test
  void callersMayKnowOfOtherChanges() {
    CanvasSnapshot canvas = canvas(new int[] {1, 2, 3}, P, P, P);
    assertThat(CanvasDiff.between(canvas, canvas, false, position -> position > 0))
        .containsExactly(new CanvasSpan(1, 2, P));
  }

  @Test
  void confidencesCountWhenTheirLevelChanges() {
    CanvasSnapshot before = canvas(new int[] {1, 2}, new TokenState[] {P, P}, .5f, .5f);
    CanvasSnapshot after = canvas(new int[] {1, 2}, new TokenState[] {P, P}, .5001f, .6f);
    assertThat(between(before, after, false)).isEmpty();
    assertThat(between(before, after, true)).containsExactly(new CanvasSpan(1, 1, P));
    assertThat(CanvasDiff.confidenceLevel(0)).isZero();
    assertThat(CanvasDiff.confidenceLevel(1)).isEqualTo(255);
    assertThat(CanvasDiff.confidenceLevel(.5f)).isEqualTo(128);
    assertThat(CanvasDiff.confidenceLevel(Float.NaN)).isZero();
    assertThat(CanvasDiff.confidenceLevel(7)).isEqualTo(255);
  }

  @Test
  void refusesCanvasesOfOtherSessions() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> between(canvas(new int[] {1}, P), canvas(new int[] {1, 2}, P, P), false));
  }

  @Test
  void applyingADiffGivesTheNextCanvas() {
    Random random = new Random(8);
    CanvasSnapshot shown = random(random, 30);
    for (int round = 0; round < 3000; round++) {
      CanvasSnapshot next = random(random, 30);
      int[] tokens = shown.tokens();
      TokenState[] states = new TokenState[30];
      for (int position = 0; position < 30; position++) {
        states[position] = shown.state(position);
      }
      List<CanvasSpan> spans = between(shown, next, false);
      int end = 0;
      for (CanvasSpan span : spans) {
        assertThat(span.start()).isGreaterThanOrEqualTo(end);
        end = span.end();
        for (int position = span.start(); position < end; position++) {
          states[position] = span.state();
          tokens[position] = next.token(position);
        }
      }
      assertThat(tokens).isEqualTo(next.tokens());
      for (int position = 0; position < 30; position++) {
        assertThat(states[position]).isEqualTo(next.state(position));
      }
      shown = next;
    }
  }

  private static CanvasSnapshot random(Random random, int length) {
    int[] tokens = new int[length];
    TokenState[] states = new TokenState[length];
    for (int position = 0; position < length; position++) {
      states[position] = TokenState.values()[random.nextInt(4)];
      tokens[position] = states[position] == U ? -1 : random.nextInt(3);
    }
    return canvas(tokens, states);
  }

  private static CanvasSnapshot canvas(int[] tokens, TokenState... states) {
    return canvas(tokens, states, new float[tokens.length]);
  }

  private static CanvasSnapshot canvas(int[] tokens, TokenState[] states, float... confidences) {
    return new CanvasSnapshot(0, 0, 0, 0, tokens, states, confidences, new Alternatives[0]);
  }
}
