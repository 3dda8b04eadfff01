package io.sfumato.server.schedule;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.PositionRange;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A model made of hashes whose positions all see each other: what it proposes depends on every
 * token, and those that an item does not send are what its pages hold. Refuses what is wrong with
 * an item.
 */
final class CachedScript implements ScriptedEngine.Script {

  private final EngineLimits limits;
  private final int[][] pages;
  final List<String> items = new ArrayList<>();
  int[] seen = {}; // by the last item
  PositionRange computed; // the part of these that it sent

  CachedScript(EngineLimits limits) {
    this.limits = limits;
    pages = new int[limits.pages()][limits.pageTokens()];
  }

  @Override
  public void propose(long run, StepBatch batch, Candidates candidates) {
    for (int index = 0; index < batch.itemCount(); index++) {
      StepItem item = batch.item(index);
      int following = item.followingTokens();
      items.add(PagedScript.describe(item) + (following > 0 ? " before " + following : ""));
      check(batch, item);
      look(batch, item);
      long hash = 0;
      for (int token : seen) {
        hash = PagedScript.mix(hash + token);
      }
      for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
        propose(batch, hash, item.candidateOffset() + candidate, candidates);
      }
    }
  }

  private void check(StepBatch batch, StepItem item) {
    int first = item.firstPosition();
    int end = first + item.tokenCount();
    int written = item.commitTokens();
    require(item.blockLength() == 0 && item.kind() != ItemKind.PREFILL, item);
    require((item.kind() == ItemKind.COMMIT) == written > 0, item);
    require(item.contextTokens() == first && (first == 0 || written == 0), item);
    require(item.followingTokens() == 0 || written == 0, item);
    int held = item.followingTokens() > 0 ? end + item.followingTokens() : first + written;
    require(item.pageCount() >= Math.ceilDiv(held, limits.pageTokens()), item);
    for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
      int row = batch.candidateRows()[item.candidateOffset() + candidate];
      require(row >= 0 && row < item.tokenCount(), item);
      require(row > 0 || first == 0 || !item.shiftedLogits(), item);
    }
  }

  private static void require(boolean holds, StepItem item) {
    if (!holds) {
      throw new IllegalStateException(PagedScript.describe(item) + ": not what the engine takes");
    }
  }

  private void look(StepBatch batch, StepItem item) {
    computed = new PositionRange(item.firstPosition(), item.tokenCount());
    seen = new int[computed.end() + item.followingTokens()];
    Arrays.setAll(seen, position -> token(batch, item, position));
    for (int position = 0; position < item.commitTokens(); position++) {
      pages[page(batch, item, position)][position % limits.pageTokens()] = seen[position];
    }
  }

  private int token(StepBatch batch, StepItem item, int position) {
    return position < computed.start() || position >= computed.end()
        ? pages[page(batch, item, position)][position % limits.pageTokens()]
        : batch.tokens()[item.tokenOffset() + position - computed.start()];
  }

  private int page(StepBatch batch, StepItem item, int position) {
    return batch.pages()[item.pageOffset() + position / limits.pageTokens()];
  }

  private void propose(StepBatch batch, long seenHash, int place, Candidates candidates) {
    long hash = PagedScript.mix(seenHash + computed.start() + batch.candidateRows()[place]);
    int token = Math.floorMod(hash >>> 11, LoopFixture.END_OF_TEXT);
    float confidence = (hash >>> 40) * 0x1p-24f;
    candidates.set(
        place, token, confidence, token, confidence, 0, 1 - confidence, 1 - confidence / 2);
  }
}
