package io.sfumato.server.schedule;

/**
 * The engine's slots, each held by one running session at most; the lowest free one is taken first.
 * Confined to the engine thread.
 */
final class SlotPool {

  private final boolean[] taken;
  private int free;

  SlotPool(int slots) {
    taken = new boolean[slots];
    free = slots;
  }

  int free() {
    return free;
  }

  int take() {
    for (int slot = 0; slot < taken.length; slot++) {
      if (!taken[slot]) {
        taken[slot] = true;
        free--;
        return slot;
      }
    }
    throw new IllegalStateException(
        "slots: " + (taken.length + 1) + " (expected: <= " + taken.length + ")");
  }

  void release(int slot) {
    if (!taken[slot]) {
      throw new IllegalStateException("slot: " + slot + " (expected: one that is taken)");
    }
    taken[slot] = false;
    free++;
  }
}
