package io.sfumato.server.canvas;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/**
 * What edits have replaced, and how far they have moved what follows, so that a place on an older
 * canvas can be found again.
 *
 * <p>Confined to the engine thread.
 */
final class Moves {

  /** Older canvases than this many edits ago are forgotten. */
  static final int REMEMBERED = 64;

  /**
   * @param change number of the change that moved it
   * @param start first position of the edit
   * @param end first position after it, before the edit
   * @param shift how far what follows has moved to the right
   */
  private record Move(int change, int start, int end, int shift) {}

  private final int length; // of the canvas
  private final Deque<Move> moves = new ArrayDeque<>();
  private int forgotten; // number of the last change that was forgotten

  Moves(int length) {
    this.length = length;
  }

  void add(int change, PositionRange edited, int shift) {
    moves.addLast(new Move(change, edited.start(), edited.end(), shift));
    if (moves.size() > REMEMBERED) {
      forgotten = moves.removeFirst().change();
    }
  }

  /**
   * Where a range of the canvas after the given change stands now; empty when part of it was
   * replaced or moved off the canvas, or the change is too long ago.
   */
  Optional<PositionRange> locate(PositionRange range, int change) {
    if (change < forgotten) {
      return Optional.empty();
    }
    int start = range.start();
    for (Move move : moves) {
      if (move.change() <= change || start + range.length() <= move.start()) {
        continue;
      }
      if (start < move.end()) {
        return Optional.empty();
      }
      start += move.shift();
      if (start + range.length() > length) {
        return Optional.empty();
      }
    }
    return Optional.of(new PositionRange(start, range.length()));
  }
}
