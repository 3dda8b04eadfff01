package io.sfumato.server.canvas;

/**
 * The canvas as it stands after one step. Immutable and thread-safe: published by the engine
 * thread, read by rpc threads.
 *
 * <p>Positions count from the first canvas position (the prompt is not part of the canvas). {@link
 * #token} is meaningless where the state is UNDECIDED.
 */
public final class CanvasSnapshot {

  /** Token of an undecided position. */
  public static final int NO_TOKEN = -1;

  private final int block;
  private final int step;
  private final int totalSteps;
  private final int changes;
  private final int[] tokens;
  private final TokenState[] states;
  private final float[] confidences;

  /**
   * Takes ownership of the arrays, which all have the canvas length.
   *
   * @param block block at work, from 0
   * @param step steps done in this block
   * @param totalSteps steps done in all blocks
   * @param changes changes that the client has made so far
   * @param tokens token ids; NO_TOKEN where undecided
   * @param confidences probability 0..1 the model gave the token when it was last asked; 0 where
   *     undecided, 1 where pinned
   */
  public CanvasSnapshot(
      int block,
      int step,
      int totalSteps,
      int changes,
      int[] tokens,
      TokenState[] states,
      float[] confidences) {
    if (tokens.length != states.length || tokens.length != confidences.length) {
      throw new IllegalArgumentException(
          "states, confidences: "
              + states.length
              + ", "
              + confidences.length
              + " (expected: "
              + tokens.length
              + ")");
    }
    this.block = block;
    this.step = step;
    this.totalSteps = totalSteps;
    this.changes = changes;
    this.tokens = tokens;
    this.states = states;
    this.confidences = confidences;
  }

  public int block() {
    return block;
  }

  public int step() {
    return step;
  }

  public int totalSteps() {
    return totalSteps;
  }

  /** Changes that the client has made so far. */
  public int changes() {
    return changes;
  }

  /** Number of canvas positions. */
  public int length() {
    return tokens.length;
  }

  public int token(int position) {
    return tokens[position];
  }

  public TokenState state(int position) {
    return states[position];
  }

  public float confidence(int position) {
    return confidences[position];
  }

  /** Positions in the given state. */
  public int count(TokenState state) {
    int count = 0;
    for (TokenState each : states) {
      if (each == state) {
        count++;
      }
    }
    return count;
  }

  /** Copy of the token ids, NO_TOKEN where undecided. */
  public int[] tokens() {
    return tokens.clone();
  }
}
