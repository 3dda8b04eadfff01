package io.sfumato.server.session;

import io.sfumato.server.canvas.Canvas;

/**
 * Where the text on a canvas ends before the canvas does: at an end-of-text or stop token with
 * everything before it decided. One before a pinned position, or within what a template requires,
 * is padding. Confined to the engine thread.
 */
final class TextEnd {

  private final SessionSpec spec;
  private final Canvas canvas;
  private final Slots slots;

  TextEnd(SessionSpec spec, Canvas canvas, Slots slots) {
    this.spec = spec;
    this.canvas = canvas;
    this.slots = slots;
  }

  /** The first in the block at work, or -1. */
  int inBlock() {
    int decided = canvas.firstUndecided(canvas.blockStart(), canvas.blockEnd());
    int end = first(canvas.blockStart(), decided);
    return end < decided ? end : -1;
  }

  /**
   * The given end, or the first position after a decided end-of-text: what follows it is dropped
   * anyway.
   */
  int usedBefore(int end) {
    return Math.min(end, first(canvas.blockStart(), end) + 1);
  }

  private int first(int start, int end) {
    int least = Math.max(canvas.lastPinned() + 1, slots.requiredLength());
    for (int position = Math.max(start, least); position < end; position++) {
      if (!canvas.isUndecided(position)
          && (isStop(position) || spec.isEndOfText(canvas.token(position)))) {
        return position;
      }
    }
    return end;
  }

  /** Whether the position ends the canvas as a stop token rather than as end-of-text. */
  boolean isStop(int position) {
    return spec.isStop(canvas.token(position));
  }
}
