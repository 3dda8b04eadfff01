package io.sfumato.server.verify;

import io.sfumato.server.session.SessionSpec;

/**
 * How the server takes the course of a recorded decoding. Immutable by convention: the arrays are
 * not changed.
 *
 * @param padding columns before the prompt that the record has and the session has not
 * @param resultStart where the recorded result begins in the sequence
 * @param stopTokens of these, one on the canvas ends the record, but not the session; may be empty
 * @param stopsAtOnce whether that is as soon as everything before it is decided, not at the end of
 *     its block
 * @param stepsBefore steps of the session before the first recorded canvas
 * @param stepsAfter steps of the session after the last recorded canvas, which the result tells of
 */
record Replay(
    SessionSpec spec,
    int padding,
    int resultStart,
    int[] stopTokens,
    boolean stopsAtOnce,
    int stepsBefore,
    int stepsAfter) {

  private static final int[] NONE = {};

  /** A record of the session's every step up to its end, with the canvas as its result. */
  static Replay of(SessionSpec spec) {
    return new Replay(spec, 0, spec.promptTokens().length, NONE, false, 0, 0);
  }

  Replay padded(int columns) {
    return new Replay(spec, columns, resultStart, stopTokens, stopsAtOnce, stepsBefore, stepsAfter);
  }

  Replay resultFrom(int position) {
    return new Replay(spec, padding, position, stopTokens, stopsAtOnce, stepsBefore, stepsAfter);
  }

  Replay stopping(int[] tokens, boolean atOnce) {
    return new Replay(spec, padding, resultStart, tokens, atOnce, stepsBefore, stepsAfter);
  }

  Replay unrecorded(int before, int after) {
    return new Replay(spec, padding, resultStart, stopTokens, stopsAtOnce, before, after);
  }

  boolean isStop(int token) {
    for (int each : stopTokens) {
      if (each == token) {
        return true;
      }
    }
    return false;
  }
}
