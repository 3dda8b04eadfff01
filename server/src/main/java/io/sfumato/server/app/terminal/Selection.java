package io.sfumato.server.app.terminal;

import io.sfumato.v1.PositionRange;

/**
 * Some positions of a canvas that a person has chosen: those from one end to the other. Immutable.
 *
 * @param anchor the end that stays when the selection is extended; -1 when nothing is selected
 * @param head the end that moves; -1 when nothing is selected
 */
record Selection(int anchor, int head) {

  static final Selection NONE = new Selection(-1, -1);

  static Selection at(int position) {
    return new Selection(position, position);
  }

  boolean isNone() {
    return anchor < 0;
  }

  int first() {
    return Math.min(anchor, head);
  }

  int last() {
    return Math.max(anchor, head);
  }

  boolean contains(int position) {
    return !isNone() && position >= first() && position <= last();
  }

  /**
   * As many positions, further on.
   *
   * @param by positions, towards the end of the canvas when positive; stops at its ends
   * @param length positions of the canvas
   */
  Selection moved(int by, int length) {
    int most = Math.max(-first(), Math.min(by, length - 1 - last()));
    return new Selection(anchor + most, head + most);
  }

  /** With the head moved, as {@link #moved}; past the anchor it selects on the other side. */
  Selection extended(int by, int length) {
    return new Selection(anchor, Math.clamp((long) head + by, 0, length - 1));
  }

  /** For controls. */
  PositionRange range() {
    return PositionRange.newBuilder().setStart(first()).setLength(last() - first() + 1).build();
  }

  /** {@code 12..15}, or {@code 12}. */
  @Override
  public String toString() {
    return first() == last() ? String.valueOf(first()) : first() + ".." + last();
  }
}
