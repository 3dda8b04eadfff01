package io.sfumato.server.canvas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.sfumato.server.canvas.CanvasStart.NoisySpan;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CanvasTest {

  private static final int NONE = CanvasSnapshot.NO_TOKEN;

  @Test
  void startsWithPinsDraftsAndOpenedSpans() {
    int[] tokens = {5, 6, 7, NONE};
    CanvasStart start =
        new CanvasStart(
            tokens, new boolean[] {true, false, false, false}, List.of(new NoisySpan(2, 1, 1)));
    Canvas canvas = new Canvas(start, 4, 4);
    assertThat(states(canvas))
        .containsExactly(
            TokenState.PINNED, TokenState.PROVISIONAL, TokenState.UNDECIDED, TokenState.UNDECIDED);
    assertThat(canvas.undecided()).isEqualTo(2);
    assertThat(canvas.confidence(0)).isEqualTo(1);
    assertThat(canvas.history().revisions(2)).isZero();
    CanvasInvariants.check(canvas);
  }

  @Test
  void blocksAreCommittedFromLeftToRightAndTheLastMayBeShorter() {
    Canvas canvas = new Canvas(CanvasStart.undecided(5), 2, 2);
    assertThat(canvas.blockCount()).isEqualTo(3);
    for (int block = 0; block < 3; block++) {
      assertThat(canvas.block()).isEqualTo(block);
      for (int position = canvas.blockStart(); position < canvas.blockEnd(); position++) {
        canvas.decide(position, 10 + position, .5f);
      }
      canvas.commitBlock();
      CanvasInvariants.check(canvas);
    }
    assertThat(canvas.isFinished()).isTrue();
    assertThat(canvas.committedTokens(0)).containsExactly(10, 11, 12, 13, 14);
    assertThat(canvas.committedTokens(4)).containsExactly(14);
    assertThatIllegalStateException().isThrownBy(canvas::commitBlock);
  }

  @Test
  void anEarlyEndCommitsWhatStandsBeforeAndDropsTheRest() {
    int[] tokens = {NONE, NONE, NONE, NONE, NONE, 9};
    boolean[] pinned = {false, false, false, false, false, true};
    Canvas canvas = new Canvas(new CanvasStart(tokens, pinned, List.of()), 4, 4);
    canvas.decide(0, 1, .5f);
    canvas.decide(1, 2, .5f);
    canvas.decide(3, 3, .5f);
    canvas.endAt(1);
    assertThat(canvas.isFinished()).isTrue();
    assertThat(canvas.endLength()).isEqualTo(1);
    assertThat(canvas.committedTokens(0)).containsExactly(1);
    assertThat(states(canvas))
        .containsExactly(
            TokenState.COMMITTED,
            TokenState.UNDECIDED,
            TokenState.UNDECIDED,
            TokenState.UNDECIDED,
            TokenState.UNDECIDED,
            TokenState.PINNED);
    CanvasInvariants.check(canvas);
  }

  @Test
  void refusesWhatMustNotHappen() {
    Canvas canvas =
        new Canvas(
            new CanvasStart(new int[] {5, NONE}, new boolean[] {true, false}, List.of()), 2, 2);
    assertThatIllegalStateException()
        .isThrownBy(() -> canvas.decide(0, 1, 1))
        .withMessageContaining("position 0: PINNED");
    assertThatIllegalStateException().isThrownBy(() -> canvas.open(0));
    assertThatIllegalStateException().isThrownBy(() -> canvas.reassess(1, 1));
    assertThatIllegalStateException()
        .isThrownBy(canvas::commitBlock)
        .withMessageContaining("position 1: UNDECIDED");
    assertThatIllegalArgumentException().isThrownBy(() -> canvas.decide(1, -1, 1));
    canvas.decide(1, 4, 1);
    canvas.commitBlock();
    assertThatIllegalStateException().isThrownBy(() -> canvas.open(1));
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            new Canvas(new CanvasStart(new int[] {NONE}, new boolean[] {true}, List.of()), 1, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Canvas(CanvasStart.undecided(0), 1, 1));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Canvas(CanvasStart.undecided(1), 0, 0));
  }

  @Test
  void countsRevisions() {
    Canvas canvas = new Canvas(CanvasStart.undecided(2), 2, 2);
    canvas.decide(0, 1, 1);
    canvas.revise(0);
    canvas.decide(0, 1, 1);
    canvas.revise(0);
    assertThat(canvas.history().revisions(0)).isEqualTo(2);
    assertThat(canvas.history().totalRevisions()).isEqualTo(2);
    assertThat(canvas.undecided()).isEqualTo(2);
    CanvasInvariants.check(canvas);
  }

  @Test
  void randomWalksKeepTheInvariants() {
    Random random = new Random(3);
    for (int round = 0; round < 2000; round++) {
      CanvasStart start = randomStart(random, 1 + random.nextInt(24));
      Canvas canvas = new Canvas(start, 8, 1 + random.nextInt(8));
      CanvasInvariants invariants = new CanvasInvariants(start, 99);
      for (int step = 0; !canvas.isFinished(); step++) {
        walk(canvas, random);
        invariants.observe(canvas.snapshot(step, step));
        CanvasInvariants.check(canvas);
      }
    }
  }

  private static void walk(Canvas canvas, Random random) {
    for (int position = canvas.blockStart(); position < canvas.blockEnd(); position++) {
      boolean touch = random.nextInt(3) == 0;
      if (touch && canvas.isUndecided(position)) {
        canvas.decide(position, random.nextInt(50), random.nextFloat());
      } else if (touch
          && canvas.state(position) == TokenState.PROVISIONAL
          && canvas.history().revisions(position) < 2) {
        canvas.revise(position);
      }
    }
    int decided = canvas.firstUndecided(canvas.blockStart(), canvas.blockEnd());
    if (random.nextInt(20) == 0) {
      canvas.endAt(decided);
    } else if (decided == canvas.blockEnd()) {
      canvas.commitBlock();
    }
  }

  private static CanvasStart randomStart(Random random, int length) {
    int[] tokens = new int[length];
    boolean[] pinned = new boolean[length];
    for (int position = 0; position < length; position++) {
      tokens[position] = random.nextBoolean() ? NONE : random.nextInt(50);
      pinned[position] = tokens[position] != NONE && random.nextBoolean();
    }
    return new CanvasStart(tokens, pinned, List.of());
  }

  private static List<TokenState> states(Canvas canvas) {
    return java.util.stream.IntStream.range(0, canvas.length()).mapToObj(canvas::state).toList();
  }
}
