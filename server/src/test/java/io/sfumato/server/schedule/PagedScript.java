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
 * on every token that a position sees, and on all that those tokens saw in turn. Of tokens that an
 * item does not send it reads both from its pages. Refuses what is wrong with an item, and a
 * finished token that is sent again.
 */
final class PagedScript implements ScriptedEngine.Script {

  private final EngineLimits limits;
  private final int[][] pages; // tokens
  private final long[][] seen; // what each token saw, itself included
  private final int[] filled; // tokens in each page
  private final int[] held; // [slots] tokens in the pages of its session; NEW before its first item
  private long[] tokensBefore; // of the item at hand: hash of the tokens before a position
  private long[] seenBefore; // and of what they saw
  final List<String> items = new ArrayList<>();
  int sessions; // that have kept something from the start
  private int keptTokens; // by the session that ended last
  int reused; // tokens that sessions found in their pages

  private static final int NEW = -1;

  PagedScript(EngineLimits limits) {
    this.limits = limits;
    pages = new int[limits.pages()][limits.pageTokens()];
    seen = new long[limits.pages()][limits.pageTokens()];
    filled = new int[limits.pages()];
    held = new int[limits.slots()];
    Arrays.fill(held, NEW);
  }

  @Override
  public void resetSlot(int slot) {
    keptTokens = Math.max(0, held[slot]);
    held[slot] = NEW;
  }

  @Override
  public void propose(long run, StepBatch batch, Candidates candidates) {
    for (int index = 0; index < batch.itemCount(); index++) {
      StepItem item = batch.item(index);
      items.add(describe(item));
      check(batch, item);
      look(batch, item);
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
      if (held[slot] == NEW) {
        boolean rowBefore = item.shiftedLogits() && written == 0;
        held[slot] = rowBefore && (first + 1) % limits.pageTokens() == 0 ? first + 1 : first;
        reused += held[slot];
        require(held[slot] % limits.pageTokens() == 0, item);
      }
      if (first == 0 && written > 0) {
        sessions++;
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

  private void look(StepBatch batch, StepItem item) {
    int first = item.firstPosition();
    int end = first + item.tokenCount();
    tokensBefore = new long[end + 1];
    seenBefore = new long[end + 1];
    for (int position = 0; position < end; position++) {
      tokensBefore[position + 1] = mix(tokensBefore[position] + token(batch, item, position));
    }
    for (int position = 0; position < end; position++) {
      long saw =
          position < first
              ? seen[page(batch, item, position)][position % limits.pageTokens()]
              : saw(item, position);
      seenBefore[position + 1] = mix(seenBefore[position] + saw);
    }
  }

  /** Where what a position sees ends. */
  private static int horizon(StepItem item, int position) {
    int end = item.firstPosition() + item.tokenCount();
    int length = item.blockLength();
    int offset = item.blockOffset();
    return length == 0
        ? end
        : Math.min(end, Math.ceilDiv(position + 1 + offset, length) * length - offset);
  }

  private long saw(StepItem item, int position) {
    return mix(tokensBefore[horizon(item, position)] + position);
  }

  private void keep(StepBatch batch, StepItem item) {
    for (int token = 0; token < written(item); token++) {
      int position = item.firstPosition() + token;
      int page = page(batch, item, position);
      int place = position % limits.pageTokens();
      filled[page] = place == 0 ? 0 : filled[page];
      require(filled[page]++ == place, item);
      pages[page][place] = batch.tokens()[item.tokenOffset() + token];
      seen[page][place] = saw(item, position);
    }
    held[item.slot()] = Math.max(0, held[item.slot()]) + written(item);
  }

  private int page(StepBatch batch, StepItem item, int position) {
    return batch.pages()[item.pageOffset() + position / limits.pageTokens()];
  }

  private void propose(StepBatch batch, StepItem item, int place, Candidates candidates) {
    int row = item.firstPosition() + batch.candidateRows()[place];
    int from = item.shiftedLogits() && row > 0 ? row - 1 : row;
    long hash = mix(seenBefore[horizon(item, from)] + row);
    int token = Math.floorMod(hash >>> 11, LoopFixture.END_OF_TEXT);
    float confidence = (hash >>> 40) * 0x1p-24f;
    candidates.set(
        place, token, confidence, token, confidence, 0, 1 - confidence, 1 - confidence / 2);
  }

  private int token(StepBatch batch, StepItem item, int position) {
    if (position >= item.firstPosition()) {
      return batch.tokens()[item.tokenOffset() + position - item.firstPosition()];
    }
    int page = page(batch, item, position);
    int place = position % limits.pageTokens();
    require(place < filled[page], item);
    return pages[page][place];
  }

  /** What the pages of the only session held at its end, which are the first ones. */
  int[] kept() {
    int[] all = Arrays.stream(pages).flatMapToInt(Arrays::stream).toArray();
    return Arrays.copyOf(all, keptTokens);
  }

  /** The finalizer of SplitMix64. */
  static long mix(long value) {
    long mixed = (value + 0x9E3779B97F4A7C15L) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }
}
