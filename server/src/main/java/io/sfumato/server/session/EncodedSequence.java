package io.sfumato.server.session;

import io.sfumato.engine.ItemKind;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.Canvas;

/**
 * What of a session's prompt and canvas goes through a model that encodes its context causally and
 * denoises a block over it. The prompt is written to the key-value pages in chunks, each finished
 * block in passes of its own, and a step about the canvas sends the block at work, right behind all
 * of that. Positions count from the first token of the prompt. Confined to the engine thread.
 */
final class EncodedSequence extends KeptSequence {

  private final int chunkTokens;
  private final int maxPositions;
  private int start; // of the step at hand
  private int end;
  private boolean filling; // the step at hand only fills pages

  EncodedSequence(SessionSpec spec, Canvas canvas, ModelFacts model) {
    super(spec, canvas);
    chunkTokens = model.chunkTokens();
    maxPositions = model.maxPositions();
  }

  /** The token at a position of the prompt or of a finished block. */
  @Override
  public int token(int position) {
    return position < promptLength
        ? spec.promptTokens()[position]
        : canvas.token(position - promptLength);
  }

  /** Whether the pages lack a part of the prompt or of a finished block. */
  boolean lacksContext() {
    return held() < blockStart();
  }

  private int blockStart() {
    return promptLength + canvas.blockStart();
  }

  /**
   * Positions that the model denoises together: its whole canvas, also where that of the session
   * ends before, but for the end of its positions.
   */
  int blockLength() {
    return Math.min(spec.blockLength(), maxPositions - blockStart());
  }

  /** The next step sends the next tokens of the context only, to keep them. */
  void fill() {
    filling = true;
    start = held();
    end = Math.min(held() + chunkTokens, held() < promptLength ? promptLength : blockStart());
  }

  /** The next step sends the block at work. */
  void ask() {
    filling = false;
    start = held();
    end = held() + blockLength();
  }

  /** Whether the step at hand only fills pages. */
  boolean isFilling() {
    return filling;
  }

  /** Tokens of the step at hand. */
  int tokens() {
    return end - start;
  }

  /**
   * Adds the step's item, with its tokens and pages but without rows.
   *
   * @param block what stands in the block at work
   */
  StepItem write(StepBatch batch, int slot, int[] pages, int[] block) {
    StepItem item = batch.add(kind(), slot, start).contextTokens(start);
    if (item.kind() == ItemKind.COMMIT) {
      item.commitTokens(tokens());
    }
    int kept = Math.ceilDiv(filling ? end : start, batch.limits().pageTokens());
    for (int page = 0; page < kept; page++) {
      batch.addPage(pages[page]);
    }
    for (int position = start; position < end; position++) {
      batch.addToken(filling ? token(position) : block[position - start]);
    }
    return item;
  }

  private ItemKind kind() {
    if (!filling) {
      return ItemKind.DENOISE;
    }
    return start < promptLength ? ItemKind.PREFILL : ItemKind.COMMIT;
  }

  /** The step at hand was run: the pages hold what it wrote. */
  void ran() {
    ran(1, tokens(), filling ? tokens() : 0);
  }
}
