package io.sfumato.server.session;

/**
 * How a session is to end other than by its own course. Confined to the engine thread.
 *
 * <p>The first reason for which the whole canvas is finished at once is the one that is told.
 */
final class Ending {

  private static final int NOWHERE = -1;

  private FinishReason forced;
  private boolean afterBlock;
  private int stopAt = NOWHERE;

  /** The whole canvas is finished at once. */
  void force(FinishReason reason) {
    forced = forced == null ? reason : forced;
  }

  /** The canvas ends with the block at work. */
  void afterBlock() {
    afterBlock = true;
  }

  /** The text ended at this many committed positions. */
  void stopAt(int length) {
    stopAt = length;
  }

  boolean isAfterBlock() {
    return afterBlock;
  }

  boolean isStopped() {
    return stopAt != NOWHERE;
  }

  int stoppedAt() {
    return stopAt;
  }

  /** The reason to tell of a canvas that ended by itself for another one. */
  FinishReason reason(FinishReason natural) {
    return forced == null ? natural : forced;
  }
}
