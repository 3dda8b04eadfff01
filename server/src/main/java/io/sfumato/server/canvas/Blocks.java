package io.sfumato.server.canvas;

/**
 * Where the blocks of a canvas begin and end. Immutable.
 *
 * @param canvasLength positions of the canvas
 * @param length positions of a block, >= 1; the last one may be shorter
 * @param firstLength positions of the first block, 1..length
 */
record Blocks(int canvasLength, int length, int firstLength) {

  Blocks {
    if (canvasLength < 1) {
      throw new IllegalArgumentException("canvas_length: " + canvasLength + " (expected: >= 1)");
    }
    if (length < 1) {
      throw new IllegalArgumentException("block_length: " + length + " (expected: >= 1)");
    }
    if (firstLength < 1 || firstLength > length) {
      throw new IllegalArgumentException(
          "first_block_length: " + firstLength + " (expected: 1.." + length + ")");
    }
  }

  int count() {
    return 1 + Math.ceilDiv(Math.max(0, canvasLength - firstLength), length);
  }

  /** First position of a block. */
  int start(int block) {
    return block == 0 ? 0 : firstLength + (block - 1) * length;
  }

  /** First position after a block. */
  int end(int block) {
    return (int) Math.min((long) firstLength + (long) block * length, canvasLength);
  }
}
