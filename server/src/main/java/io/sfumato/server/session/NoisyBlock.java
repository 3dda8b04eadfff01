package io.sfumato.server.session;

import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.sampling.Philox;
import io.sfumato.server.sampling.Philox.Purpose;
import io.sfumato.server.sampling.Ranking;
import io.sfumato.server.sampling.UniformNoise;
import java.util.Arrays;

/**
 * The block at work as a model of uniform noise reads it: the client's tokens where it has pinned
 * them, drawn ones where the last step has kept them, random ones elsewhere. It is as long as the
 * model's canvas; what lies behind the session's canvas is never shown.
 *
 * <p>The canvas itself shows the model's most probable tokens, at the positions that a step has
 * kept. Confined to the engine thread.
 */
final class NoisyBlock {

  private final SessionSpec spec;
  private final UniformNoise noise;
  private final Canvas canvas;
  private final int vocabulary;
  private final int[] tokens; // [block] what the model reads
  private final int[] shown; // [block] what stood on the canvas after the last step, or NO_TOKEN
  private final int[] best; // [block] most probable tokens of the last step
  private final boolean[] kept; // [block] by the step at hand
  private int length;
  private int changes; // of the client's that are accounted for
  private boolean comparable; // best tokens of the last step are of the same positions
  private int stableSteps; // in a row with the best tokens of the one before
  private boolean settled;

  NoisyBlock(SessionSpec spec, Canvas canvas, int vocabulary) {
    this.spec = spec;
    this.canvas = canvas;
    this.vocabulary = vocabulary;
    noise = spec.sampling().uniform().orElseThrow();
    tokens = new int[spec.blockLength()];
    shown = new int[tokens.length];
    best = new int[tokens.length];
    kept = new boolean[tokens.length];
  }

  /** Begins with the block at work, of so many positions. */
  void start(int blockLength) {
    length = blockLength;
    comparable = false;
    stableSteps = 0;
    settled = false;
    Arrays.fill(shown, CanvasSnapshot.NO_TOKEN);
    for (int offset = 0; offset < length; offset++) {
      tokens[offset] = random(offset, 0);
    }
    changes = -1; // whatever stands there is the client's
  }

  /** What the model reads; of these the block's positions are meaningful. Not a copy. */
  int[] tokens() {
    return tokens;
  }

  /**
   * Takes over what the client has changed, and asks about all positions that are not pinned.
   *
   * @param steps done in the block
   */
  void ask(int steps, StepRows rows) {
    boolean changed = changes != canvas.changes();
    changes = canvas.changes();
    comparable &= !changed;
    for (int offset = 0; offset < length; offset++) {
      int position = canvas.blockStart() + offset;
      if (changed && isShown(position)) {
        takeOver(offset, position, steps);
      }
      if (!isShown(position) || canvas.state(position) != TokenState.PINNED) {
        rows.add(position, true);
      }
    }
  }

  private void takeOver(int offset, int position, int steps) {
    int token = canvas.token(position);
    if (token == CanvasSnapshot.NO_TOKEN) {
      if (shown[offset] != CanvasSnapshot.NO_TOKEN) {
        tokens[offset] = random(offset, steps);
      }
    } else if (token != shown[offset] || canvas.state(position) == TokenState.PINNED) {
      tokens[offset] = token;
    }
    shown[offset] = token;
  }

  /** Whether a position is one of the session's canvas. */
  private boolean isShown(int position) {
    return position < canvas.length();
  }

  /**
   * Applies the answer to a step: so many of the ranked positions keep the token that was drawn,
   * the others get random ones. With the last step all show the most probable token.
   *
   * @param step within the block, from 1
   * @param last whether it is the last one whatever comes out
   */
  void decide(StepRows rows, Ranking ranking, int accepted, int step, boolean last) {
    compare(rows);
    settled = last || isStable(rows);
    Arrays.fill(kept, false);
    for (int rank = 0; rank < accepted; rank++) {
      kept[rows.openPosition(ranking.index(rank)) - canvas.blockStart()] = true;
    }
    for (int index = 0; index < rows.count(); index++) {
      int position = rows.openPosition(index);
      int offset = position - canvas.blockStart();
      if (kept[offset]) {
        tokens[offset] = noise.isReplay() ? rows.bestToken(index) : rows.sampledToken(index);
      } else {
        tokens[offset] = random(offset, step);
      }
      if (isShown(position)) {
        show(position, kept[offset] || settled, rows.bestToken(index), rows.bestProbability(index));
        shown[offset] = canvas.token(position);
      }
    }
  }

  private void show(int position, boolean decided, int token, float confidence) {
    if (!canvas.isUndecided(position)) {
      if (decided && canvas.token(position) == token) {
        canvas.reassess(position, confidence);
        return;
      }
      canvas.revise(position);
    }
    if (decided) {
      canvas.decide(position, token, confidence);
    }
  }

  private void compare(StepRows rows) {
    boolean same = comparable;
    for (int index = 0; index < rows.count(); index++) {
      int offset = rows.openPosition(index) - canvas.blockStart();
      same &= best[offset] == rows.bestToken(index);
      best[offset] = rows.bestToken(index);
    }
    comparable = true;
    stableSteps = same ? stableSteps + 1 : 0;
  }

  private boolean isStable(StepRows rows) {
    double sum = 0;
    for (int index = 0; index < rows.count(); index++) {
      sum += rows.entropy(index);
    }
    return stableSteps >= noise.stableSteps() && sum < (double) noise.meanEntropy() * rows.count();
  }

  /** Whether the block can be committed: its last step was done, or all of it is the client's. */
  boolean isDone() {
    for (int position = canvas.blockStart(); position < canvas.blockEnd(); position++) {
      TokenState state = canvas.state(position);
      if (state == TokenState.UNDECIDED || (!settled && state != TokenState.PINNED)) {
        return false;
      }
    }
    return true;
  }

  private int random(int offset, int step) {
    if (noise.isReplay()) {
      return noise.recorded()[canvas.block()][step][offset];
    }
    return Philox.token(
        spec.sampling().seed(),
        spec.promptTokens().length + canvas.blockStart() + offset,
        step,
        canvas.block(),
        Purpose.RENOISE,
        vocabulary);
  }
}
