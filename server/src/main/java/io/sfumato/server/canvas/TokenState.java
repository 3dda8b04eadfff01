package io.sfumato.server.canvas;

/** What a client may rely on about one position of the canvas. */
public enum TokenState {
  /** Nothing stands here yet. */
  UNDECIDED,
  /** A token stands here and may change. */
  PROVISIONAL,
  /** Never changes again. */
  COMMITTED,
  /** The client's own token; only the client changes it. */
  PINNED
}
