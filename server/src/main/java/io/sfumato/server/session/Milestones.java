package io.sfumato.server.session;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;

/** When a session arrived, had its first step and its first canvas. Confined to its thread. */
final class Milestones {

  private static final long NEVER = Long.MIN_VALUE;

  private final long arrivalNanos;
  private long firstStepNanos = NEVER;
  private long firstCanvasNanos = NEVER;

  Milestones(long arrivalNanos) {
    this.arrivalNanos = arrivalNanos;
  }

  long arrivalNanos() {
    return arrivalNanos;
  }

  /** A step begins. */
  void stepped(long nowNanos) {
    firstStepNanos = firstStepNanos == NEVER ? nowNanos : firstStepNanos;
  }

  /** There is a canvas after a step. */
  void decided(long nowNanos) {
    firstCanvasNanos = firstCanvasNanos == NEVER ? nowNanos : firstCanvasNanos;
  }

  /** Of a session that ends now. */
  Timing timing(long nowNanos) {
    return new Timing(
        since(firstStepNanos, nowNanos),
        since(firstCanvasNanos, nowNanos),
        nowNanos - arrivalNanos);
  }

  /** What to tell a session whose deadline has passed. */
  ServingException expired(boolean queued, long nowNanos) {
    return new ServingException(
        queued ? ErrorReason.EXPIRED_IN_QUEUE : ErrorReason.EXPIRED_RUNNING,
        "deadline: passed after "
            + (nowNanos - arrivalNanos) / 1_000_000
            + " ms "
            + (queued ? "in the queue" : "of work")
            + " (expected: the end of the session before)");
  }

  private long since(long nanos, long otherwise) {
    return (nanos == NEVER ? otherwise : nanos) - arrivalNanos;
  }
}
