package io.sfumato.engine;

/** What a work item does with its tokens. */
public enum ItemKind {
  /** Runs context tokens and writes their keys and values to pages. */
  PREFILL,
  /** Runs canvas tokens over the cached context; pages are only read. */
  DENOISE,
  /** Runs finished tokens and writes their keys and values to pages. */
  COMMIT
}
