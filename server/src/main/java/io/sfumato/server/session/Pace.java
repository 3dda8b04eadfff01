package io.sfumato.server.session;

/**
 * When a session takes steps: whether it is paused, and how many steps still fit before its soft
 * deadline, from what steps have taken so far and what the engine's load says they will take.
 *
 * <p>Confined to the engine thread.
 */
final class Pace {

  /** A pause ends by itself after this time, so that nobody holds a place for nothing. */
  static final long LONGEST_PAUSE_NANOS = 600_000_000_000L;

  private static final double WEIGHT = 0.3; // of the newest interval
  private static final double CAUTION = 1.25; // a step may take that much longer than expected
  private static final long RESERVE_NANOS = 4_000_000; // to commit and to be on the way
  private static final long NEVER = Long.MIN_VALUE;

  private long softDeadlineNanos = NEVER;
  private long pausedNanos = NEVER; // since when
  private double intervalNanos;
  private long steppedNanos = NEVER;

  /** When the best guess is to be committed, on the server's clock. */
  void softDeadline(long nanos) {
    softDeadlineNanos = nanos;
  }

  void pause(long nowNanos) {
    if (!isPaused()) {
      pausedNanos = nowNanos;
    }
  }

  void resume() {
    pausedNanos = NEVER;
    steppedNanos = NEVER; // the pause says nothing about steps
  }

  boolean isPaused() {
    return pausedNanos != NEVER;
  }

  /** Whether a pause has to end: it was too long, or the soft deadline is near. */
  boolean isPauseOver(long nowNanos) {
    return isPaused()
        && (nowNanos - pausedNanos >= LONGEST_PAUSE_NANOS || stepsLeft(nowNanos, 0) < 2);
  }

  /** The session has had a step. */
  void stepped(long nowNanos) {
    if (steppedNanos != NEVER) {
      double interval = nowNanos - steppedNanos;
      intervalNanos =
          intervalNanos == 0 ? interval : intervalNanos + WEIGHT * (interval - intervalNanos);
    }
    steppedNanos = nowNanos;
  }

  /**
   * Steps that fit before the soft deadline.
   *
   * @param expectedNanos between two steps of the session as the load is now; 0 when not known
   * @return 0 or more; Integer.MAX_VALUE without a soft deadline, or when nothing is known of steps
   */
  int stepsLeft(long nowNanos, double expectedNanos) {
    double step = CAUTION * Math.max(intervalNanos, expectedNanos);
    if (softDeadlineNanos == NEVER || step <= 0) {
      return Integer.MAX_VALUE;
    }
    return (int) Math.max(0, (softDeadlineNanos - nowNanos - RESERVE_NANOS) / step);
  }
}
