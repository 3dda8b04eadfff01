package io.sfumato.server.session;

import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.Canvas;

/**
 * The tokens of one session's prompt and canvas: what of them a step sends through the model, what
 * the key-value pages hold, and what the steps have cost. Positions count from the first token of
 * the prompt. Confined to the engine thread.
 */
public abstract class KeptSequence {

  final SessionSpec spec;
  final Canvas canvas;
  final int promptLength;
  final int maskToken;
  private int reused; // tokens that were in the pages from the start
  private int held; // tokens in the pages
  private int passes;
  private long tokenForwards;

  KeptSequence(SessionSpec spec, Canvas canvas, ModelFacts model) {
    this.spec = spec;
    this.canvas = canvas;
    promptLength = spec.promptTokens().length;
    maskToken = model.maskToken();
  }

  static KeptSequence of(SessionSpec spec, Canvas canvas, ModelFacts model) {
    return spec.attending().encodesContext()
        ? new EncodedSequence(spec, canvas, model)
        : new Sequence(spec, canvas, model);
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

  /** The token at a position; the mask where nothing is decided. */
  public final int token(int position) {
    if (position < promptLength) {
      return spec.promptTokens()[position];
    }
    int ofCanvas = position - promptLength;
    return canvas.isUndecided(ofCanvas) ? maskToken : canvas.token(ofCanvas);
  }

  /** Whether the pages lack so much of what is finished that a step has to fill them first. */
  abstract boolean lacksContext();

  /** The next step only fills pages. */
  abstract void fill();

  /**
   * The next step asks about canvas positions from the first to before the end.
   *
   * @param isGuided whether it also sends the canvas behind a hidden prompt
   */
  abstract void ask(int firstRow, int rowEnd, boolean isGuided);

  /** Whether the step at hand only fills pages. */
  abstract boolean isFilling();

  /**
   * Whether the last token of the step at hand, which only fills pages, stands right before the
   * block at work, and its row is about the first token of that.
   */
  boolean predictsSeed() {
    return false;
  }

  /** Whether a canvas position is decided by a row outside of its block. */
  boolean isSeed(int canvasPosition) {
    return false;
  }

  /** Whether the step at hand has a guide. */
  boolean isGuided() {
    return false;
  }

  /** Work items of the step at hand. */
  int items() {
    return 1;
  }

  /** Tokens of the step at hand, all items together. */
  abstract int tokens();

  /** Row that decides a canvas position in the step's first item. */
  abstract int row(int canvasPosition);

  /** Adds the step's first item, with its tokens and pages but without rows. */
  abstract StepItem write(StepBatch batch, int slot, int[] pages);

  /** Adds the item that guides the first one, if there is one. */
  void writeGuide(StepBatch batch, int slot) {}

  /** The step at hand was run: the pages hold what it wrote. */
  abstract void ran();

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
