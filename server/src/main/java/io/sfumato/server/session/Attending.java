package io.sfumato.server.session;

/**
 * Which positions of a sequence see each other, and which row of the model's output a position is
 * decided by. Immutable.
 *
 * @param blockLength 0 when all see each other; else positions see their own and earlier blocks, so
 *     that what is finished can be kept in key-value pages
 * @param blockOffset position p belongs to block {@code (p + blockOffset) / blockLength}; 0 ..
 *     blockLength - 1
 * @param shiftedLogits whether the output at a position is about the token after it
 * @param encodesContext whether these blocks are those of a context only, and the block of the
 *     canvas at work sees all of that context and itself
 */
public record Attending(
    int blockLength, int blockOffset, boolean shiftedLogits, boolean encodesContext) {

  /** Each of the context sees itself and those before it; the block at work is seen whole. */
  public static final Attending CAUSAL = new Attending(1, 0, false, true);

  /** All positions see each other, and each is decided by its own row. */
  public static final Attending FULL = new Attending(0, 0, false);

  /** Of a canvas that attends like the context. */
  public Attending(int blockLength, int blockOffset, boolean shiftedLogits) {
    this(blockLength, blockOffset, shiftedLogits, false);
  }

  /** Whether all positions see each other. */
  public boolean isFull() {
    return blockLength == 0;
  }

  /** The last position at or before the given one with which a block begins; 0 at least. */
  int borderBefore(int position) {
    return Math.max(0, (position + blockOffset) / blockLength * blockLength - blockOffset);
  }

  /** The first position at or after the given one with which a block begins. */
  public int borderAfter(int position) {
    return Math.ceilDiv(position + blockOffset, blockLength) * blockLength - blockOffset;
  }
}
