package io.sfumato.server.schedule;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A model made of hashes whose positions see their own and earlier blocks: what it proposes depends
 * on every token that a position sees, and it reads those that an item does not send from its
 * pages. Refuses what is wrong with an item, and a finished token that is sent again.
 */
final class PagedScript implements ScriptedEngine.Script {

  private final EngineLimits limits;
  private final int[][] pages;
  private final int[] held; // [slots] tokens in the pages of its session
  final List<String> items = new ArrayList<>();
  int sessions; // that have kept something

  PagedScript(EngineLimits limits) {
    this.limits = limits;
    pages = new int[limits.pages()][limits.pageTokens()];
    held = new int[limits.slots()];
  }

  @Override
  public void propose(long run, StepBatch batch, Candidates candidates) {
    for (int index = 0; index < batch.itemCount(); index++) {
      StepItem item = batch.item(index);
      items.add(describe(item));
      check(batch, item);
      keep(batch, item);
      for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
        propose(batch, item, item.candidateOffset() + candidate, candidates);
      }
    }
  }

  static String describe(StepItem item) {
    return item.kind()
        + " "
        + item.firstPosition()
        + "+"
        + item.tokenCount()
        + (item.commitTokens() > 0 ? " of them " + item.commitTokens() : "");
  }

  private static int written(StepItem item) {
    return item.kind() == ItemKind.PREFILL ? item.tokenCount() : item.commitTokens();
  }

  private void check(StepBatch batch, StepItem item) {
    int slot = item.slot();
    int first = item.firstPosition();
    int written = written(item);
    require(item.kind() != ItemKind.COMMIT || written > 0, item);
    if (item.pageCount() == 0 && written == 0) {
      require(first == 0 && item.contextTokens() == 0, item);
    } else {
      if (first == 0) {
        require(held[slot] == 0 || written > 0, item); // a new session
        sessions++;
        held[slot] = 0;
      }
      boolean rowBefore = item.shiftedLogits() && written == 0 && first == held[slot] - 1;
      require(first == held[slot] || rowBefore, item);
      require(item.contextTokens() == first, item);
      require(item.pageCount() >= Math.ceilDiv(first + written, limits.pageTokens()), item);
      int end = first + written + item.blockOffset();
      require(written == 0 || end % item.blockLength() == 0, item);
    }
    for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
      int row = batch.candidateRows()[item.candidateOffset() + candidate];
      require(row >= written && row < item.tokenCount(), item);
      require(row > 0 || first == 0 || !item.shiftedLogits(), item);
    }
  }

  private static void require(boolean holds, StepItem item) {
    if (!holds) {
      throw new IllegalStateException(describe(item) + ": not what the engine takes");
    }
  }

  private void keep(StepBatch batch, StepItem item) {
    for (int token = 0; token < written(item); token++) {
      int position = item.firstPosition() + token;
      pages[page(batch, item, position)][position % limits.pageTokens()] =
          batch.tokens()[item.tokenOffset() + token];
    }
    held[item.slot()] += written(item);
  }

  private int page(StepBatch batch, StepItem item, int position) {
    return batch.pages()[item.pageOffset() + position / limits.pageTokens()];
  }

  private void propose(StepBatch batch, StepItem item, int place, Candidates candidates) {
    int row = item.firstPosition() + batch.candidateRows()[place];
    int from = item.shiftedLogits() && row > 0 ? row - 1 : row;
    int end = item.firstPosition() + item.tokenCount();
    int length = item.blockLength();
    if (length > 0) {
      int border = Math.ceilDiv(from + 1 + item.blockOffset(), length) * length;
      end = Math.min(end, border - item.blockOffset());
    }
    long hash = row;
    for (int position = 0; position < end; position++) {
      hash = mix(hash + token(batch, item, position));
    }
    int token = Math.floorMod(hash >>> 11, LoopFixture.END_OF_TEXT);
    float confidence = (hash >>> 40) * 0x1p-24f;
    candidates.set(
        place, token, confidence, token, confidence, 0, 1 - confidence, 1 - confidence / 2);
  }

  private int token(StepBatch batch, StepItem item, int position) {
    return position < item.firstPosition()
        ? pages[page(batch, item, position)][position % limits.pageTokens()]
        : batch.tokens()[item.tokenOffset() + position - item.firstPosition()];
  }

  /** What the only session's pages hold, which are the first ones. */
  int[] kept() {
    int[] all = Arrays.stream(pages).flatMapToInt(Arrays::stream).toArray();
    return Arrays.copyOf(all, held[0]);
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long value) {
    long mixed = (value + 0x9E3779B97F4A7C15L) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }
}
