package io.sfumato.server.canvas;

import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The checker itself: each promise broken once. */
final class CanvasInvariantsTest {

  private static final int MASK = 9;
  private static final TokenState U = TokenState.UNDECIDED;
  private static final TokenState P = TokenState.PROVISIONAL;
  private static final TokenState C = TokenState.COMMITTED;
  private static final TokenState X = TokenState.PINNED;

  private CanvasInvariants invariants;

  @BeforeEach
  void start() {
    CanvasStart start =
        new CanvasStart(new int[] {-1, 5, -1}, new boolean[] {false, true, false}, List.of());
    invariants = new CanvasInvariants(start, MASK);
    invariants.observe(canvas(1, new int[] {3, 5, -1}, C, X, U));
  }

  @Test
  void acceptsAGoodCourse() {
    invariants.observe(canvas(2, new int[] {3, 5, 4}, C, X, P));
    invariants.observe(canvas(3, new int[] {3, 5, -1}, C, C, U));
  }

  @Test
  void refusesAChangedPin() {
    refuses(canvas(2, new int[] {3, 6, -1}, C, X, U), "position 1");
    refuses(canvas(2, new int[] {3, 5, -1}, C, P, U), "position 1");
  }

  @Test
  void refusesAChangedCommitment() {
    refuses(canvas(2, new int[] {4, 5, -1}, C, X, U), "position 0");
    refuses(canvas(2, new int[] {3, 5, -1}, P, X, U), "position 0");
  }

  @Test
  void refusesAGapInTheCommitted() {
    refuses(canvas(2, new int[] {3, 5, 4}, C, X, C), "position 2");
  }

  @Test
  void refusesMasksAndMissingTokens() {
    refuses(canvas(2, new int[] {3, 5, MASK}, C, X, P), "position 2");
    refuses(canvas(2, new int[] {3, 5, -1}, C, X, P), "position 2");
    refuses(canvas(2, new int[] {3, 5, 4}, C, X, U), "position 2");
  }

  @Test
  void refusesAStepBack() {
    refuses(canvas(0, new int[] {3, 5, -1}, C, X, U), "step: 0");
  }

  private void refuses(CanvasSnapshot canvas, String message) {
    assertThatIllegalStateException()
        .isThrownBy(() -> invariants.observe(canvas))
        .withMessageContaining(message);
  }

  private static CanvasSnapshot canvas(int step, int[] tokens, TokenState... states) {
    return new CanvasSnapshot(
        0, step, step, 0, tokens, states, new float[tokens.length], new Alternatives[0]);
  }
}
