package io.sfumato.server.canvas;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The canvas of one session while it is being written: a token, its state and the model's
 * confidence for each position, in blocks that are committed from left to right.
 *
 * <p>Confined to the engine thread. Positions count from the first canvas position. A position is
 * <em>decided</em> when a token stands there, in any state but UNDECIDED; what it holds then is
 * never a mask.
 */
public final class Canvas {

  private final Blocks blocks;
  private final int[] tokens;
  private final TokenState[] states;
  private final float[] confidences;
  private int undecided;
  private int block;
  private int committedLength;
  private int endLength;
  private boolean finished;
  private final PositionHistory history;
  private final Moves moves;
  private int changes;

  /**
   * Spans with a noise of 1 are opened at once; other drafts stand as provisional tokens.
   *
   * @param blockLength positions that are committed together, >= 1
   * @param firstBlockLength of those the first ones, 1..blockLength
   */
  public Canvas(CanvasStart start, int blockLength, int firstBlockLength) {
    int length = start.length();
    blocks = new Blocks(length, blockLength, firstBlockLength);
    tokens = start.tokens().clone();
    states = new TokenState[length];
    confidences = new float[length];
    history = new PositionHistory(length);
    endLength = length;
    moves = new Moves(length);
    for (int position = 0; position < length; position++) {
      place(position, start.pinned()[position]);
    }
    for (CanvasStart.NoisySpan span : start.reopened()) {
      for (int position = span.start();
          span.noise() >= 1 && position < span.start() + span.length();
          position++) {
        if (states[position] == TokenState.PROVISIONAL) {
          open(position);
        }
      }
    }
  }

  private void place(int position, boolean pinned) {
    boolean empty = tokens[position] == CanvasSnapshot.NO_TOKEN;
    history.begin(position, tokens[position]);
    if (pinned && empty) {
      throw new IllegalArgumentException(
          "tokens[" + position + "]: none (expected: a token where the canvas is pinned)");
    }
    if (pinned) {
      states[position] = TokenState.PINNED;
      confidences[position] = 1;
    } else if (empty) {
      states[position] = TokenState.UNDECIDED;
      undecided++;
    } else {
      states[position] = TokenState.PROVISIONAL;
    }
  }

  /** Writes a token to an undecided position. */
  public void decide(int position, int token, float confidence) {
    require(position, TokenState.UNDECIDED);
    if (token < 0) {
      throw new IllegalArgumentException("token: " + token + " (expected: >= 0)");
    }
    tokens[position] = token;
    states[position] = TokenState.PROVISIONAL;
    confidences[position] = confidence;
    history.wrote(position, token);
    undecided--;
  }

  /** Takes a provisional token away. */
  public void open(int position) {
    require(position, TokenState.PROVISIONAL);
    tokens[position] = CanvasSnapshot.NO_TOKEN;
    states[position] = TokenState.UNDECIDED;
    confidences[position] = 0;
    undecided++;
  }

  /** Takes a provisional token away because the model has come to doubt it, and counts that. */
  public void revise(int position) {
    open(position);
    history.revised(position);
  }

  /** Notes how probable the model now finds a provisional token. */
  public void reassess(int position, float confidence) {
    require(position, TokenState.PROVISIONAL);
    confidences[position] = confidence;
  }

  /** Holds provisional positions as they are, for the client; pinned ones stay pinned. */
  public void pin(List<PositionRange> ranges) {
    for (PositionRange range : ranges) {
      for (int position = range.start(); position < range.end(); position++) {
        if (states[position] != TokenState.PINNED) {
          require(position, TokenState.PROVISIONAL);
          states[position] = TokenState.PINNED;
          confidences[position] = 1;
        }
      }
    }
    changes++;
  }

  /** Makes the client's pinned positions provisional; their confidence is 1 until the next look. */
  public void unpin(List<PositionRange> ranges) {
    for (PositionRange range : ranges) {
      for (int position = range.start(); position < range.end(); position++) {
        require(position, TokenState.PINNED);
        states[position] = TokenState.PROVISIONAL;
      }
    }
    changes++;
  }

  /**
   * Puts the client's own tokens in place of a range, pinned. With more tokens than the range has
   * positions, what follows moves to the right and the last positions are dropped; with fewer, it
   * moves to the left and undecided positions follow at the end.
   *
   * @throws IllegalStateException when the range is committed, or a pinned position would be
   *     dropped
   */
  public void replace(PositionRange range, int[] replacement) {
    requireOpen(range);
    int shift = replacement.length - range.length();
    if (shift > room(range)) {
      throw new IllegalStateException(
          "tokens: " + replacement.length + " (expected: room for them)");
    }
    changes++;
    moves.add(changes, range, shift);
    shift(range.end(), shift);
    for (int index = 0; index < replacement.length; index++) {
      put(range.start() + index, replacement[index], TokenState.PINNED, 1);
    }
    undecided = undecided(0, length());
  }

  /**
   * Takes away what stands in a range, pins included.
   *
   * @throws IllegalStateException when a position of it is committed
   */
  public void blank(PositionRange range) {
    requireOpen(range);
    for (int position = range.start(); position < range.end(); position++) {
      put(position, CanvasSnapshot.NO_TOKEN, TokenState.UNDECIDED, 0);
    }
    undecided = undecided(0, length());
    changes++;
  }

  /** Takes provisional tokens away because the client wants them decided again. */
  public void reopen(int[] positions, int count) {
    for (int index = 0; index < count; index++) {
      open(positions[index]);
    }
    changes++;
  }

  private void shift(int from, int shift) {
    int to = Math.min(length(), from + shift);
    int count = length() - Math.max(from, to);
    System.arraycopy(tokens, from, tokens, to, count);
    System.arraycopy(states, from, states, to, count);
    System.arraycopy(confidences, from, confidences, to, count);
    history.shift(from, to, count);
    for (int position = to + count; position < length(); position++) {
      put(position, CanvasSnapshot.NO_TOKEN, TokenState.UNDECIDED, 0);
    }
  }

  private void put(int position, int token, TokenState state, float confidence) {
    tokens[position] = token;
    states[position] = state;
    confidences[position] = confidence;
    history.begin(position, token);
  }

  private void requireOpen(PositionRange range) {
    if (range.start() < committedLength || finished) {
      throw new IllegalStateException(
          "position " + range.start() + ": COMMITTED (expected: not committed)");
    }
  }

  /** How many tokens more than it has positions may replace a range: no pin drops off the end. */
  public int room(PositionRange range) {
    return length() - Math.max(range.end(), lastPinned() + 1);
  }

  /**
   * Commits the current block and goes on to the next.
   *
   * @throws IllegalStateException when a position of it is undecided
   */
  public void commitBlock() {
    commitUpTo(blockEnd());
    if (block + 1 < blocks.count()) {
      block++;
    } else {
      finished = true;
    }
  }

  /**
   * Ends the canvas before the given position, which must lie in the current block or at its end:
   * commits what stands before it in this block, drops provisional tokens from there on.
   *
   * @throws IllegalStateException when a position before it is undecided
   */
  public void endAt(int position) {
    if (position < blockStart() || position > blockEnd()) {
      throw new IllegalArgumentException(
          "end: " + position + " (expected: " + blockStart() + ".." + blockEnd() + ")");
    }
    commitUpTo(position);
    for (int dropped = position; dropped < length(); dropped++) {
      if (states[dropped] == TokenState.PROVISIONAL) {
        open(dropped);
      }
    }
    endLength = position;
    finished = true;
  }

  private void commitUpTo(int end) {
    if (finished) {
      throw new IllegalStateException("canvas: finished (expected: a block at work)");
    }
    int open = firstUndecided(committedLength, end);
    if (open < end) {
      throw new IllegalStateException(
          "position " + open + ": UNDECIDED (expected: decided before a commit up to " + end + ")");
    }
    Arrays.fill(states, committedLength, end, TokenState.COMMITTED);
    committedLength = end;
  }

  public int length() {
    return tokens.length;
  }

  public int token(int position) {
    return tokens[position];
  }

  public TokenState state(int position) {
    return states[position];
  }

  public boolean isUndecided(int position) {
    return states[position] == TokenState.UNDECIDED;
  }

  public float confidence(int position) {
    return confidences[position];
  }

  /** How the positions came to what stands there. */
  public PositionHistory history() {
    return history;
  }

  /** Undecided positions of the whole canvas. */
  public int undecided() {
    return undecided;
  }

  /** Undecided positions from start to before end. */
  public int undecided(int start, int end) {
    int count = 0;
    for (int position = start; position < end; position++) {
      if (states[position] == TokenState.UNDECIDED) {
        count++;
      }
    }
    return count;
  }

  /** First undecided position from start to before end, else end. */
  public int firstUndecided(int start, int end) {
    int position = start;
    while (position < end && states[position] != TokenState.UNDECIDED) {
      position++;
    }
    return position;
  }

  /** Block at work, from 0; the last one that was at work when the canvas is finished. */
  public int block() {
    return block;
  }

  public int blockCount() {
    return blocks.count();
  }

  /** First position of the block at work. */
  public int blockStart() {
    return blocks.start(block);
  }

  /** First position after the block at work. */
  public int blockEnd() {
    return blocks.end(block);
  }

  /** Positions 0..committedLength-1 are committed. */
  public int committedLength() {
    return committedLength;
  }

  /** Where the canvas ended early, else its length. */
  public int endLength() {
    return endLength;
  }

  /** Whether all blocks are committed, or the canvas was ended. */
  public boolean isFinished() {
    return finished;
  }

  /** Copy of the committed tokens from the given position on. */
  public int[] committedTokens(int start) {
    return Arrays.copyOfRange(tokens, start, committedLength);
  }

  /** Last pinned position of the canvas, or -1. */
  public int lastPinned() {
    int position = length() - 1;
    while (position >= 0 && states[position] != TokenState.PINNED) {
      position--;
    }
    return position;
  }

  /** Changes that the client has made so far. */
  public int changes() {
    return changes;
  }

  /** Where a range of the canvas after so many changes stands now; empty when it is gone since. */
  public Optional<PositionRange> locate(PositionRange range, int change) {
    return moves.locate(range, change);
  }

  /**
   * An immutable copy.
   *
   * @param step steps done in this block
   * @param totalSteps steps done in all blocks
   */
  public CanvasSnapshot snapshot(int step, int totalSteps) {
    return new CanvasSnapshot(
        block,
        step,
        totalSteps,
        changes,
        tokens.clone(),
        states.clone(),
        confidences.clone(),
        history.alternatives());
  }

  private void require(int position, TokenState expected) {
    if (states[position] != expected) {
      throw new IllegalStateException(
          "position " + position + ": " + states[position] + " (expected: " + expected + ")");
    }
  }
}
