package io.sfumato.server.schedule;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.sampling.Philox;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A model made of hashes that encodes its context and denoises a canvas over it: what it finds best
 * depends on the context and, now and then, on the rest of the canvas; it is sure where that stands
 * already. What the encoder finds best after its last token depends on the context alone. Refuses
 * what is wrong with an item.
 */
final class EncoderScript implements ScriptedEngine.Script {

  private final int[][] pages;
  private final boolean isNoise;
  private final int pageTokens;
  private final int[] held; // [slots] tokens in the pages of its session; NEW before its first item
  private int keptTokens; // by the session that ended last
  int reused; // tokens that sessions found in their pages
  int seeds; // rows of the encoder
  final List<String> items = new ArrayList<>();
  final List<int[]> canvases = new ArrayList<>(); // as they were sent
  final List<int[]> rows = new ArrayList<>(); // that were asked about, of each of them

  private static final int NEW = -1;

  /** For canvases of uniform noise. */
  EncoderScript(EngineLimits limits) {
    this(limits, true);
  }

  /** For canvases of masks, whose first tokens the encoder predicts. */
  static EncoderScript seeding(EngineLimits limits) {
    return new EncoderScript(limits, false);
  }

  private EncoderScript(EngineLimits limits, boolean isNoise) {
    this.isNoise = isNoise;
    pageTokens = limits.pageTokens();
    pages = new int[limits.pages()][pageTokens];
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
      items.add(PagedScript.describe(item));
      int[] tokens = slice(batch.tokens(), item.tokenOffset(), item.tokenCount());
      if (held[item.slot()] == NEW) {
        held[item.slot()] = item.firstPosition();
        reused += item.firstPosition();
        require(item.firstPosition() % pageTokens == 0, item);
      }
      if (item.kind() == ItemKind.DENOISE) {
        check(item, batch);
        canvases.add(tokens);
        rows.add(slice(batch.candidateRows(), item.candidateOffset(), item.candidateCount()));
        propose(batch, item, tokens, candidates);
      } else {
        keep(batch, item, tokens, candidates);
      }
    }
  }

  private static int[] slice(int[] values, int offset, int count) {
    return Arrays.copyOfRange(values, offset, offset + count);
  }

  private void check(StepItem item, StepBatch batch) {
    require(item.firstPosition() == item.contextTokens(), item);
    require(item.firstPosition() == held[item.slot()], item);
    require(item.tokenCount() <= LoopFixture.CANVAS, item);
    require(item.blockLength() == 0 && item.guidanceItem() < 0, item);
    require(!isNoise || item.temperature() == 0 || item.temperedProbabilities(), item);
    require(item.pageCount() >= Math.ceilDiv(item.firstPosition(), pageTokens), item);
    require(batch.tokenCount() <= batch.limits().batchTokens(), item);
  }

  private void keep(StepBatch batch, StepItem item, int[] tokens, Candidates candidates) {
    require(item.firstPosition() == held[item.slot()], item);
    require(item.contextTokens() == item.firstPosition(), item);
    require(item.kind() == ItemKind.PREFILL || item.commitTokens() == item.tokenCount(), item);
    for (int token : tokens) {
      int position = held[item.slot()]++;
      pages[page(batch, item, position)][position % pageTokens] = token;
    }
    if (item.candidateCount() > 0) {
      require(!isNoise && item.candidateCount() == 1, item);
      int row = batch.candidateRows()[item.candidateOffset()];
      require(row == item.tokenCount() - 1, item);
      seeds++;
      propose(batch, item, item.candidateOffset(), mix(context(batch, item)), -1, candidates);
    }
  }

  private long context(StepBatch batch, StepItem item) {
    long context = 7;
    for (int position = 0; position < held[item.slot()]; position++) {
      context = mix(context + pages[page(batch, item, position)][position % pageTokens]);
    }
    return context;
  }

  private int page(StepBatch batch, StepItem item, int position) {
    return batch.pages()[item.pageOffset() + position / pageTokens];
  }

  private static void require(boolean holds, StepItem item) {
    if (!holds) {
      throw new IllegalStateException(PagedScript.describe(item) + ": not what the engine takes");
    }
  }

  private void propose(StepBatch batch, StepItem item, int[] tokens, Candidates candidates) {
    long context = context(batch, item);
    long canvas = Arrays.hashCode(tokens);
    for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
      int place = item.candidateOffset() + candidate;
      int row = batch.candidateRows()[place];
      long hash = mix(context + row);
      if (Math.floorMod(mix(hash ^ canvas), 5) == 0) {
        hash = mix(hash ^ canvas);
      }
      propose(batch, item, place, hash, tokens[row], candidates);
    }
  }

  /**
   * @param stands token at the row's position; -1 for a row about another one
   */
  private static void propose(
      StepBatch batch, StepItem item, int place, long hash, int stands, Candidates candidates) {
    int best = Math.floorMod(hash >>> 11, LoopFixture.END_OF_TEXT);
    int noise =
        Philox.word(
            item.seed(),
            item.firstPosition() + batch.candidateRows()[place],
            item.step(),
            item.block(),
            Philox.Purpose.TOKEN);
    boolean other = item.temperature() > 0 && Math.floorMod(noise, 4) == 0;
    int sampled = other ? Math.floorMod(best + 1, LoopFixture.END_OF_TEXT) : best;
    float probability = stands == best ? .99f : .3f + .4f * unit(hash);
    float entropy = stands == best ? .001f : .2f + unit(mix(hash));
    candidates.set(
        place,
        sampled,
        other ? 1 - probability : probability,
        best,
        probability,
        (1 - probability) / 2,
        entropy,
        .5f);
  }

  private static float unit(long hash) {
    return (hash >>> 40) * 0x1p-24f;
  }

  /** What the pages of the only session held at its end, which are the first ones. */
  int[] kept() {
    int[] all = Arrays.stream(pages).flatMapToInt(Arrays::stream).toArray();
    return Arrays.copyOf(all, keptTokens);
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long value) {
    long mixed = (value + 0x9E3779B97F4A7C15L) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }
}
