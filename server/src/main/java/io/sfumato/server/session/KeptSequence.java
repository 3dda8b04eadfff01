package io.sfumato.server.session;

/**
 * The tokens of one session's prompt and canvas, of which the key-value pages hold the finished
 * ones. Confined to the engine thread.
 */
public interface KeptSequence {

  /**
   * Before the first step: the pages hold so many of the first tokens already.
   *
   * @param tokens finished tokens of the prompt, up to a border of blocks
   */
  void reuse(int tokens);

  /** Finished tokens in the pages. */
  int held();

  /** The token at a position. */
  int token(int position);

  /** What the steps have cost so far. */
  Usage usage(int committedTokens);
}
