package io.sfumato.server.session;

/**
 * Where a session's time went, in nanoseconds.
 *
 * @param queueNanos from arrival to the first step
 * @param firstCanvasNanos from arrival to the first canvas after a step
 * @param totalNanos from arrival to the end
 */
public record Timing(long queueNanos, long firstCanvasNanos, long totalNanos) {}
