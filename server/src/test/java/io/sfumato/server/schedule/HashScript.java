package io.sfumato.server.schedule;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.sampling.Philox;

/**
 * A model made of hashes: what it proposes for a row depends on every token of the item, on the
 * row, and (with a temperature) on the item's noise, and on nothing else of the batch.
 *
 * @param endOfText proposed for one row in {@code rarity}; -1 for never
 */
public record HashScript(int vocabulary, int endOfText, int rarity)
    implements ScriptedEngine.Script {

  @Override
  public void propose(long run, StepBatch batch, Candidates candidates) {
    for (int index = 0; index < batch.itemCount(); index++) {
      StepItem item = batch.item(index);
      long content = content(batch, item);
      if (item.guidanceItem() >= 0) {
        content =
            mix(
                content
                    ^ content(batch, batch.item(item.guidanceItem()))
                    ^ Float.floatToIntBits(item.guidanceScale()));
      }
      for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
        int row = batch.candidateRows()[item.candidateOffset() + candidate];
        propose(item, mix(content + row), row, item.candidateOffset() + candidate, candidates);
      }
    }
  }

  private void propose(StepItem item, long hash, int row, int place, Candidates candidates) {
    int best = token(item, hash);
    int sampled = best;
    if (item.temperature() > 0) {
      int noise =
          Philox.word(
              item.seed(),
              item.firstPosition() + row,
              item.step(),
              item.block(),
              Philox.Purpose.TOKEN);
      sampled = token(item, mix(hash ^ noise));
    }
    float bestProbability = .5f + .5f * unit(hash, 1);
    float sampledProbability =
        sampled == best ? bestProbability : (1 - bestProbability) * unit(hash, 2);
    candidates.set(
        place,
        sampled,
        sampledProbability,
        best,
        bestProbability,
        (1 - bestProbability) * .7f,
        3 * unit(hash, 3),
        unit(hash, 4));
  }

  private int token(StepItem item, long hash) {
    int token =
        Math.floorMod(
            hash >>> 11, endOfText >= 0 && Math.floorMod(hash, rarity) == 0 ? 1 : vocabulary - 1);
    token = endOfText >= 0 && Math.floorMod(hash, rarity) == 0 ? endOfText : token;
    while (contains(item.suppressedTokens(), token)) {
      token = (token + 1) % vocabulary;
    }
    return token;
  }

  private static boolean contains(int[] tokens, int token) {
    for (int each : tokens) {
      if (each == token) {
        return true;
      }
    }
    return false;
  }

  private static long content(StepBatch batch, StepItem item) {
    long hash = item.firstPosition();
    for (int token = 0; token < item.tokenCount(); token++) {
      hash = mix(hash + batch.tokens()[item.tokenOffset() + token]);
    }
    return hash;
  }

  private static float unit(long hash, int purpose) {
    return (mix(hash + purpose) >>> 40) * 0x1p-24f;
  }

  /** The finalizer of SplitMix64. */
  private static long mix(long value) {
    long mixed = (value + 0x9E3779B97F4A7C15L) * 0xBF58476D1CE4E5B9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
    return mixed ^ (mixed >>> 31);
  }
}
