package io.sfumato.engine;

/** Which keys a canvas position sees. */
public enum AttentionKind {
  /** Every position of its sequence: prompt, canvas and undecided blocks. */
  FULL,
  /** Every position of its own block and of all blocks before it. */
  BLOCK_CAUSAL,
  /** The encoder's cache of the context, and the whole canvas. */
  ENCODER_CANVAS,
  /** FULL or BLOCK_CAUSAL, as the checkpoint was trained: its config does not say. */
  FULL_OR_BLOCK_CAUSAL
}
