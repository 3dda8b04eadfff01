package io.sfumato.server.verify;

import io.sfumato.server.session.SessionSpec;

/**
 * How the server takes the course of a recorded decoding. Immutable by convention: the arrays are
 * not changed.
 *
 * @param padding columns before the prompt that the record has and the session has not
 * @param resultStart where the recorded result begins in the sequence
 * @param stopTokens of these, one on the canvas ends the record, but not the session; may be empty
 * @param stop when that is
 * @param stepsBefore steps of the session before the first recorded canvas
 * @param stepsAfter steps of the session after the last recorded canvas, which the result tells of
 */
record Replay(
    SessionSpec spec,
    int padding,
    int resultStart,
    int[] stopTokens,
    Stop stop,
    int stepsBefore,
    int stepsAfter) {

  /** When a stop token ends the record. */
  enum Stop {
    /** At the end of its block. */
    WITH_BLOCK,
    /** As soon as a step decides one, if everything before the first one is decided. */
    WHEN_DECIDED,
    /** After a step of a block, as soon as everything before the first one is decided. */
    WHEN_REACHED
  }

  private static final int[] NONE = {};

  /** A record of the session's every step up to its end, with the canvas as its result. */
  static Replay of(SessionSpec spec) {
    return new Replay(spec, 0, spec.promptTokens().length, NONE, Stop.WITH_BLOCK, 0, 0);
  }

  Replay padded(int columns) {
    return new Replay(spec, columns, resultStart, stopTokens, stop, stepsBefore, stepsAfter);
  }

  Replay resultFrom(int position) {
    return new Replay(spec, padding, position, stopTokens, stop, stepsBefore, stepsAfter);
  }

  Replay stopping(int[] tokens, Stop when) {
    return new Replay(spec, padding, resultStart, tokens, when, stepsBefore, stepsAfter);
  }

  Replay unrecorded(int before, int after) {
    return new Replay(spec, padding, resultStart, stopTokens, stop, before, after);
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
