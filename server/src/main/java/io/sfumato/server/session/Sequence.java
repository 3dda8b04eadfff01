package io.sfumato.server.session;

import io.sfumato.engine.ItemKind;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.Canvas;

/**
 * What of a session's prompt and canvas goes through the model in a step, and how much of them the
 * key-value pages hold. Positions count from the first token of the prompt. Confined to the engine
 * thread.
 *
 * <p>Where all positions see each other, every step sends all of them, unless the session has asked
 * for an approximate cache: then a step that sends all of them fills it, and those that follow send
 * the block at work, or everything from its start on. Where blocks see only themselves and what is
 * before them, finished blocks are written to the pages once: those of the prompt in chunks of
 * their own, those of the canvas in the first step of the block that follows. Guidance needs a
 * second view of the prompt, so that it keeps nothing.
 */
final class Sequence extends KeptSequence {

  private final Attending attending;
  private final int chunkTokens;
  private final CachedContext cached; // null without an approximate cache
  private int start; // of the step at hand
  private int end;
  private int written; // tokens that the step at hand adds to the pages
  private int following; // tokens behind the step's that it sees in the pages
  private boolean filling; // the step at hand only fills pages
  private boolean guided;

  Sequence(SessionSpec spec, Canvas canvas, ModelFacts model) {
    super(spec, canvas, model);
    attending = spec.attending();
    cached = spec.cache() == CacheMode.NONE ? null : new CachedContext(canvas);
    chunkTokens = Math.max(model.chunkTokens(), attending.blockLength());
  }

  @Override
  boolean lacksContext() {
    if (!spec.keepsContext()) {
      return false;
    }
    int lacking = finished() - held();
    boolean ofPrompt = held() < attending.borderBefore(promptLength);
    return lacking > 0 && (ofPrompt || lacking > chunkTokens);
  }

  /** Tokens of blocks that will not change any more. */
  private int finished() {
    return attending.borderBefore(promptLength + canvas.blockStart());
  }

  /** The next step sends the next finished blocks only, to keep them. */
  @Override
  void fill() {
    filling = true;
    guided = false;
    start = held();
    end = attending.borderBefore(Math.min(held() + chunkTokens, finished()));
    written = end - start;
  }

  /**
   * The next step asks about canvas positions from the first to before the end, and sends what they
   * see and the pages do not hold.
   *
   * @param isGuided whether it also sends the canvas behind a hidden prompt
   */
  @Override
  void ask(int firstRow, int rowEnd, boolean isGuided) {
    filling = false;
    guided = isGuided && promptLength > 0;
    start = 0;
    end = spec.sequenceLength();
    written = 0;
    following = 0;
    if (cached != null) {
      askOverCache(firstRow, rowEnd);
    }
    if (!attending.isFull()) {
      end = Math.min(end, attending.borderAfter(promptLength + rowEnd));
    }
    if (spec.keepsContext()) {
      written = finished() - held();
      boolean needsRowBefore = attending.shiftedLogits() && promptLength + firstRow == held();
      start = needsRowBefore && held() > 0 && written == 0 ? held() - 1 : held();
    }
  }

  /** Sends the block at work or more of the canvas where the cache holds the rest, else all. */
  private void askOverCache(int firstRow, int rowEnd) {
    boolean dual = spec.cache() == CacheMode.DUAL;
    int blockStart = promptLength + canvas.blockStart();
    boolean inReach = firstRow >= canvas.blockStart() && (!dual || rowEnd <= canvas.blockEnd());
    if (!inReach || !cached.isCurrent()) {
      written = dual ? end : blockStart;
      return;
    }
    boolean needsRowBefore = attending.shiftedLogits() && firstRow == canvas.blockStart();
    start = needsRowBefore ? Math.max(0, blockStart - 1) : blockStart;
    if (dual) {
      end = promptLength + canvas.blockEnd();
      following = spec.sequenceLength() - end;
    }
  }

  /**
   * Whether a canvas position is decided by a row outside of its block: one that sees nothing of
   * the block, or that a step over the cache need not send.
   */
  @Override
  boolean isSeed(int canvasPosition) {
    int position = promptLength + canvasPosition;
    if (cached != null) {
      return attending.shiftedLogits() && position > 0 && canvasPosition == canvas.blockStart();
    }
    return !attending.isFull()
        && attending.shiftedLogits()
        && position > 0
        && attending.borderBefore(position) == position;
  }

  @Override
  boolean isFilling() {
    return filling;
  }

  @Override
  int items() {
    return guided ? 2 : 1;
  }

  @Override
  int tokens() {
    return items() * (end - start);
  }

  @Override
  int row(int canvasPosition) {
    return promptLength + canvasPosition - start;
  }

  @Override
  StepItem write(StepBatch batch, int slot, int[] pages) {
    ItemKind kind = filling ? ItemKind.PREFILL : written > 0 ? ItemKind.COMMIT : ItemKind.DENOISE;
    StepItem item = add(batch, kind, slot, false);
    if (kind == ItemKind.COMMIT) {
      item.commitTokens(written);
    }
    if (spec.usesPages()) {
      item.contextTokens(start).followingTokens(following);
      int last = following > 0 ? end + following : start + written;
      int kept = Math.ceilDiv(last, batch.limits().pageTokens());
      for (int page = 0; page < kept; page++) {
        batch.addPage(pages[page]);
      }
    }
    return item;
  }

  @Override
  void writeGuide(StepBatch batch, int slot) {
    if (guided) {
      add(batch, ItemKind.DENOISE, slot, true);
    }
  }

  private StepItem add(StepBatch batch, ItemKind kind, int slot, boolean hidesPrompt) {
    StepItem item =
        batch
            .add(kind, slot, start)
            .blocks(attending.blockLength(), attending.blockOffset())
            .shiftedLogits(attending.shiftedLogits());
    for (int position = start; position < end; position++) {
      batch.addToken(hidesPrompt && position < promptLength ? maskToken : token(position));
    }
    return item;
  }

  @Override
  boolean isGuided() {
    return guided;
  }

  @Override
  void ran() {
    if (cached != null && start == 0 && end == spec.sequenceLength()) {
      cached.filled();
    }
    ran(items(), tokens(), cached == null ? written : 0);
  }
}
