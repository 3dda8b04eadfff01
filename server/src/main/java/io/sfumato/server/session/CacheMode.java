package io.sfumato.server.session;

/**
 * Which keys and values the steps of a block take over from an earlier one where positions all see
 * each other: approximations but for {@link #NONE}, since what is taken over would have changed
 * (Fast-dLLM, arXiv 2505.22618).
 */
public enum CacheMode {
  /** None. */
  NONE,
  /** Those of the prompt and of what stands before the block. */
  PREFIX,
  /** Those of everything outside of the block. */
  DUAL
}
