package io.sfumato.server.session;

import io.sfumato.server.canvas.Canvas;

/**
 * The tokens of one session's prompt and canvas, of which the key-value pages hold the finished
 * ones, and what its steps have cost. Positions count from the first token of the prompt. Confined
 * to the engine thread.
 */
public abstract class KeptSequence {

  final SessionSpec spec;
  final Canvas canvas;
  final int promptLength;
  private int reused; // tokens that were in the pages from the start
  private int held; // tokens in the pages
  private int passes;
  private long tokenForwards;

  KeptSequence(SessionSpec spec, Canvas canvas) {
    this.spec = spec;
    this.canvas = canvas;
    promptLength = spec.promptTokens().length;
  }

  /**
   * Before the first step: the pages hold so many of the first tokens already.
   *
   * @param tokens finished tokens of the prompt, up to a border of blocks
   */
  public final void reuse(int tokens) {
    reused = tokens;
    held = tokens;
  }

  /** Finished tokens in the pages. */
  public final int held() {
    return held;
  }

  /** The token at a position. */
  public abstract int token(int position);

  /** A step was run, and the pages hold so many finished tokens more. */
  final void ran(int items, int tokens, int written) {
    passes += items;
    tokenForwards += tokens;
    held += written;
  }

  /** What the steps have cost so far. */
  final Usage usage(int committedTokens) {
    return new Usage(
        promptLength,
        canvas.length(),
        committedTokens,
        reused,
        passes,
        tokenForwards,
        canvas.history().totalRevisions());
  }
}
