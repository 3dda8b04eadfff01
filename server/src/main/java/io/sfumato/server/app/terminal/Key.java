package io.sfumato.server.app.terminal;

/** What a key asks for while a canvas forms. */
public enum Key {
  /** Pause, or go on. */
  PAUSE,
  /** One step while paused. */
  STEP,
  /** Move the selection, by one position or by many. */
  LEFT,
  RIGHT,
  FAR_LEFT,
  FAR_RIGHT,
  /** Move one end of the selection. */
  EXTEND_LEFT,
  EXTEND_RIGHT,
  PIN,
  UNPIN,
  /** Have the more doubtful half of the selection decided again. */
  REOPEN_HALF,
  /** Have all of the selection decided again. */
  REOPEN,
  BLANK,
  /** Show what the model held probable at the selection, or no longer. */
  ALTERNATIVES,
  FINISH,
  CANCEL
}
