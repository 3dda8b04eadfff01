package io.sfumato.server.session;

import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.CanvasSnapshot;

/**
 * What the canvas was when a session's approximate cache was filled, and so whether the cache still
 * stands for what is outside of the block at work. Confined to the engine thread.
 */
final class CachedContext {

  private static final int NO_BLOCK = -1;

  private final Canvas canvas;
  private final int[] tokens; // the canvas when the cache was filled
  private int block = NO_BLOCK; // at work then

  CachedContext(Canvas canvas) {
    this.canvas = canvas;
    tokens = new int[canvas.length()];
  }

  /** The cache was filled with the canvas as it is. */
  void filled() {
    block = canvas.block();
    for (int position = 0; position < tokens.length; position++) {
      tokens[position] = tokenAt(position);
    }
  }

  /** Whether it was filled in the block at work, and nothing outside of it has changed since. */
  boolean isCurrent() {
    if (block != canvas.block()) {
      return false;
    }
    for (int position = 0; position < tokens.length; position++) {
      boolean outside = position < canvas.blockStart() || position >= canvas.blockEnd();
      if (outside && tokens[position] != tokenAt(position)) {
        return false;
      }
    }
    return true;
  }

  private int tokenAt(int position) {
    return canvas.isUndecided(position) ? CanvasSnapshot.NO_TOKEN : canvas.token(position);
  }
}
