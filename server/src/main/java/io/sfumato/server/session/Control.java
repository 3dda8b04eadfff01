package io.sfumato.server.session;

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
