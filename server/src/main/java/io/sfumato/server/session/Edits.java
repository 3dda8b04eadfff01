package io.sfumato.server.session;

import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.sampling.AcceptancePolicy;

/**
 * Writes what the model proposes to the canvas, and replaces provisional tokens of a block by
 * others that it is surer of. A block is settled once a step over it with nothing undecided has
 * replaced nothing, or after as many such steps as the policy allows. Confined to the engine
 * thread.
 */
final class Edits {

  private final Canvas canvas;
  private final Slots slots;
  private final int maskToken;
  private int passes; // with nothing undecided
  private boolean unchanged; // by the last of them

  /**
   * @param maskToken where the model proposes it, the position is left or becomes undecided
   */
  Edits(Canvas canvas, Slots slots, int maskToken) {
    this.maskToken = maskToken;
    this.canvas = canvas;
    this.slots = slots;
  }

  void startBlock() {
    passes = 0;
    unchanged = false;
  }

  /** Decides an undecided position. */
  void decide(int position, int token, float confidence) {
    if (token != maskToken) {
      canvas.decide(position, slots.written(position, token), confidence);
    }
  }

  boolean areSettled(AcceptancePolicy policy) {
    return unchanged || passes >= policy.postEditSteps();
  }

  /** Applies the answer to a step; to be called before positions are decided by it. */
  void apply(AcceptancePolicy policy, StepRows rows) {
    boolean wasFull = true;
    int edited = 0;
    for (int row = 0; row < rows.rows(); row++) {
      int position = rows.canvasPosition(row);
      wasFull &= !canvas.isUndecided(position);
      if (canvas.state(position) != TokenState.PROVISIONAL) {
        continue;
      }
      int token = rows.proposedToken(row);
      float confidence = rows.proposedConfidence(row);
      if (policy.replaces(confidence) && slots.written(position, token) != canvas.token(position)) {
        canvas.revise(position);
        decide(position, token, confidence);
        edited++;
      }
    }
    if (wasFull) {
      passes++;
      unchanged = edited == 0;
    }
  }
}
