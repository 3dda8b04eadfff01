package io.sfumato.server.session;

import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.sampling.AcceptanceSpec;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What may be asked of a running session; applied at the next step boundary, each answered once.
 * Immutable.
 */
public sealed interface Control {

  /**
   * The client's number of the control; internal controls have a negative one and are not answered.
   */
  long controlId();

  /** How much to finish. */
  enum Scope {
    BLOCK,
    CANVAS
  }

  /**
   * The canvas that the client was looking at.
   *
   * @param changes changes that it had made then
   * @param committedLength positions that were committed then
   */
  record Basis(int changes, int committedLength) {}

  /** A control about positions, which are those of its basis if it has one, else those of now. */
  sealed interface OnCanvas extends Control {
    Optional<Basis> basis();
  }

  /** Hold what stands there. */
  record PinSpans(long controlId, Optional<Basis> basis, List<PositionRange> ranges)
      implements OnCanvas {}

  /** Give pinned positions back to the model. */
  record UnpinSpans(long controlId, Optional<Basis> basis, List<PositionRange> ranges)
      implements OnCanvas {}

  /**
   * Put other tokens there, pinned; what follows moves when they are more or fewer.
   *
   * @param tokens 0 or more
   */
  record EditSpan(long controlId, Optional<Basis> basis, PositionRange range, int[] tokens)
      implements OnCanvas {}

  /** Take away what stands there. */
  record BlankSpan(long controlId, Optional<Basis> basis, PositionRange range)
      implements OnCanvas {}

  /**
   * Decide provisional positions again.
   *
   * @param noise share of them, 0..1, the least confident first; rounded half up in each range
   */
  record ReopenSpans(long controlId, Optional<Basis> basis, List<PositionRange> ranges, float noise)
      implements OnCanvas {}

  /**
   * Spend more or less from the next step on; what is absent stays.
   *
   * @param maxStepsPerBlock steps of a block, those done included
   * @param softDeadlineNanos time from when the control takes effect
   */
  record SetBudget(
      long controlId,
      OptionalInt maxStepsPerBlock,
      OptionalLong softDeadlineNanos,
      Optional<AcceptanceSpec> acceptance)
      implements Control {}

  /** Take no steps, and commit nothing. */
  record Pause(long controlId) implements Control {}

  /** Go on. */
  record Resume(long controlId) implements Control {}

  /** Decide everything that is left in the block or canvas with one more step, and commit it. */
  record FinishNow(long controlId, Scope scope) implements Control {}

  /** Commit the current block as usual and end there. */
  record StopAfterBlock(long controlId) implements Control {}

  /**
   * End the session at this many committed canvas positions, because a stop text was found there.
   * Internal.
   */
  record StopAt(long controlId, int length) implements Control {}
}
