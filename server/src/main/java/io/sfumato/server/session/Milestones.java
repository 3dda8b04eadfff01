package io.sfumato.server.session;

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

  private long since(long nanos, long otherwise) {
    return (nanos == NEVER ? otherwise : nanos) - arrivalNanos;
  }
}
