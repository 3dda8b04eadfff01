package io.sfumato.server.session;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.RevisedToken;
import io.sfumato.server.error.ServingException;
import java.util.List;

/**
 * What a session tells its client, in token ids; the rpc side turns it into messages. Immutable.
 */
public sealed interface SessionEvent {

  /**
   * The session has a place: the first event.
   *
   * @param queuePosition 0 when it runs at the next step, else its place in the queue from 1
   */
  record Accepted(String sessionId, int queuePosition) implements SessionEvent {}

  /**
   * Sign of life: while queued, when the position in the queue changes; else at least every 10 s.
   */
  record Progress(int queuePosition, int block, int step, int undecided) implements SessionEvent {}

  /** The newest canvas; older ones that were not fetched yet are dropped. */
  record CanvasChanged(CanvasSnapshot snapshot) implements SessionEvent {}

  /**
   * A block is final. Never dropped, in order.
   *
   * @param start first canvas position
   * @param tokens the block's tokens; end-of-text and what follows is not among them
   * @param steps forward passes the block took
   */
  record BlockCommitted(int block, int start, int[] tokens, int steps) implements SessionEvent {}

  /** The control took effect before the given step (all steps of the session counted, from 1). */
  record ControlApplied(long controlId, int step) implements SessionEvent {}

  record ControlRejected(long controlId, ServingException reason) implements SessionEvent {}

  /**
   * The last event of a session that ended well.
   *
   * @param slots what the template's slots became, in their order
   * @param revised tokens of the text that were replaced while it was written, ascending
   */
  record Finished(
      FinishReason reason,
      int[] tokens,
      List<SlotValue> slots,
      List<RevisedToken> revised,
      Usage usage,
      Timing timing)
      implements SessionEvent {}

  /** The last event of a session that did not. */
  record Failed(ServingException reason) implements SessionEvent {}
}
