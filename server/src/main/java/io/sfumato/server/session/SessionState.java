package io.sfumato.server.session;

/** How far a session has come. */
public enum SessionState {
  /** Waits for a slot. */
  QUEUED,
  /** The next passes only write keys and values of finished tokens to pages. */
  PREFILLING,
  /** The next pass shows the model the whole draft, to find the tokens it doubts most. */
  SCORING,
  /** Passes decide positions until the canvas is committed. */
  DENOISING,
  FINISHED,
  FAILED,
  CANCELLED;

  /** Whether nothing more will happen. */
  public boolean isOver() {
    return switch (this) {
      case QUEUED, PREFILLING, SCORING, DENOISING -> false;
      case FINISHED, FAILED, CANCELLED -> true;
    };
  }
}
