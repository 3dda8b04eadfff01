package io.sfumato.server.schedule;

import io.sfumato.server.session.SessionState;

/**
 * What an engine has done and how long it takes: counters since the start, and running averages.
 *
 * <p>Written by the engine thread, read by any.
 */
public final class LoadGauge {

  private static final double WEIGHT = 0.1; // of the newest measurement in an average

  private final int slots;
  private volatile int running;
  private volatile long steps;
  private volatile long tokens;
  private volatile long cachedTokens;
  private volatile long finished;
  private volatile long failed;
  private volatile long cancelled;
  private volatile double stepNanos;
  private volatile double tokenNanos;
  private volatile double sessionNanos;

  LoadGauge(int slots) {
    this.slots = slots;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
  void stepped(int newTokens, long nanos) {
    steps++;
    tokens += newTokens;
    stepNanos = average(stepNanos, (double) nanos);
    tokenNanos = average(tokenNanos, (double) nanos / Math.max(1, newTokens));
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
  void ended(SessionState state, long nanos) {
    switch (state) {
      case FINISHED -> {
        finished++;
        sessionNanos = average(sessionNanos, (double) nanos);
      }
      case FAILED -> failed++;
      case CANCELLED -> cancelled++;
      case QUEUED, PREFILLING, SCORING, DENOISING ->
          throw new IllegalStateException("state: " + state + " (expected: one that is over)");
    }
  }

  /** A session got its slot, and so many tokens of its prompt were there already. */
  @SuppressWarnings("NonAtomicVolatileUpdate") // one writer
  void seated(int newRunning, int newCachedTokens) {
    running(newRunning);
    cachedTokens += newCachedTokens;
  }

  void running(int newRunning) {
    running = newRunning;
  }

  private static double average(double before, double nanos) {
    return before == 0 ? nanos : before + WEIGHT * (nanos - before);
  }

  /** Sessions that hold a slot. */
  public int running() {
    return running;
  }

  public int slots() {
    return slots;
  }

  /** Steps of the engine, all sessions together. */
  public long steps() {
    return steps;
  }

  /** Tokens that went through the model. */
  public long tokens() {
    return tokens;
  }

  /** Tokens of prompts that did not, because an earlier session had the same ones. */
  public long cachedTokens() {
    return cachedTokens;
  }

  public long finished() {
    return finished;
  }

  public long failed() {
    return failed;
  }

  public long cancelled() {
    return cancelled;
  }

  /** Running average of a step's duration, decisions included; 0 before the first step. */
  public double stepNanos() {
    return stepNanos;
  }

  /** Running average of a step's duration per token in it; 0 before the first step. */
  public double tokenNanos() {
    return tokenNanos;
  }

  /**
   * About when the next place will be free: the average time a session holds a slot, divided by the
   * slots; at least 50 ms, at most 60 s.
   */
  public long nextPlaceNanos() {
    return Math.clamp((long) (sessionNanos / slots), 50_000_000L, 60_000_000_000L);
  }
}
