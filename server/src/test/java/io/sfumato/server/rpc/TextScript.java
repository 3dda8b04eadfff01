package io.sfumato.server.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.text.ByteCodec;

/**
 * A model for tests: it writes the same text over and over, with code points of one to four bytes,
 * and is now and then wrong or in doubt. What it proposes depends on seed, block, step and position
 * alone.
 */
final class TextScript implements ScriptedEngine.Script {

  static final String TEXT = "Der Fuchs fährt — 🦊 — für 5 € fort. ";

  private static final byte[] BYTES = TEXT.getBytes(UTF_8);

  private final int endPosition;

  /**
   * @param endPosition position, prompt included, of the end of text; -1 for none
   */
  TextScript(int endPosition) {
    this.endPosition = endPosition;
  }

  @Override
  public void propose(long run, StepBatch batch, Candidates candidates) {
    for (int index = 0; index < batch.itemCount(); index++) {
      StepItem item = batch.item(index);
      for (int row = item.candidateOffset();
          row < item.candidateOffset() + item.candidateCount();
          row++) {
        propose(item, row, batch.candidateRows()[row], candidates);
      }
    }
  }

  private void propose(StepItem item, int row, int position, Candidates candidates) {
    long hash = mix(item.seed() ^ mix(item.block() * 1_000_003L + item.step() * 4099L + position));
    int token = token(item.seed(), position);
    if ((hash & 15) == 0) {
      token = (int) (hash >>> 8 & 0x7f);
    }
    float confidence = (hash >>> 20 & 0xffff) / 65536f;
    float doubt = (hash >>> 40 & 0xffff) / 65536f;
    candidates.set(
        row, token, confidence, token, confidence, confidence / 2, 1 - confidence, doubt);
    for (int rank = 0; rank < item.topCount(); rank++) {
      candidates.setTop(row, rank, (token + rank * 7) & 0xff, confidence / (rank + 1));
    }
  }

  private int token(long seed, int position) {
    if (position == endPosition) {
      return ByteCodec.END;
    }
    return BYTES[Math.floorMod(position + seed, BYTES.length)] & 0xff;
  }

  private static long mix(long value) {
    long mixed = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return mixed ^ (mixed >>> 31);
  }
}
