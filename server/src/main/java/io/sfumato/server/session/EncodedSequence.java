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
  private final int[] noise; // what the model reads in the block; null for the canvas's tokens
  private int start; // of the step at hand
  private int end;
  private boolean filling; // the step at hand only fills pages

  /** Of a canvas whose undecided positions hold the mask. */
  EncodedSequence(SessionSpec spec, Canvas canvas, ModelFacts model) {
    this(spec, canvas, model, null);
  }

  /**
   * @param noise what the model reads in the block at work, kept up to date by the caller, one
   *     token for each position
   */
  EncodedSequence(SessionSpec spec, Canvas canvas, ModelFacts model, int[] noise) {
    super(spec, canvas, model);
    chunkTokens = model.chunkTokens();
    maxPositions = model.maxPositions();
    this.noise = noise;
  }

  /** Whether the pages lack a part of the prompt or of a finished block. */
  @Override
  boolean lacksContext() {
    return held() < blockStart();
  }

  private int blockStart() {
    return promptLength + canvas.blockStart();
  }

  /**
   * Positions that the model denoises together. With uniform noise its whole canvas, also where
   * that of the session ends before, but for the end of its positions.
   */
  int blockLength() {
    return noise == null
        ? canvas.blockEnd() - canvas.blockStart()
        : Math.min(spec.blockLength(), maxPositions - blockStart());
  }

  /** The next step sends the next tokens of the context only, to keep them. */
  @Override
  void fill() {
    filling = true;
    start = held();
    end = Math.min(held() + chunkTokens, held() < promptLength ? promptLength : blockStart());
  }

  /** The next step sends the block at work, in which the rows are. */
  @Override
  void ask(int firstRow, int rowEnd, boolean isGuided) {
    filling = false;
    start = held();
    end = held() + blockLength();
  }

  @Override
  boolean isFilling() {
    return filling;
  }

  @Override
  boolean predictsSeed() {
    return filling && end == blockStart();
  }

  @Override
  int tokens() {
    return end - start;
  }

  @Override
  int row(int canvasPosition) {
    return (filling ? end - 1 : promptLength + canvasPosition) - start;
  }

  @Override
  StepItem write(StepBatch batch, int slot, int[] pages) {
    StepItem item = batch.add(kind(), slot, start).contextTokens(start);
    if (item.kind() == ItemKind.COMMIT) {
      item.commitTokens(tokens());
    }
    int kept = Math.ceilDiv(filling ? end : start, batch.limits().pageTokens());
    for (int page = 0; page < kept; page++) {
      batch.addPage(pages[page]);
    }
    for (int position = start; position < end; position++) {
      batch.addToken(filling || noise == null ? token(position) : noise[position - start]);
    }
    return item;
  }

  private ItemKind kind() {
    if (!filling) {
      return ItemKind.DENOISE;
    }
    return start < promptLength ? ItemKind.PREFILL : ItemKind.COMMIT;
  }

  @Override
  void ran() {
    ran(1, tokens(), filling ? tokens() : 0);
  }
}
