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
  private final Alternatives[] alternatives;

  /**
   * Takes ownership of the arrays, which all have the canvas length, but for the last.
   *
   * @param block block at work, from 0
   * @param step steps done in this block
   * @param totalSteps steps done in all blocks
   * @param changes changes that the client has made so far
   * @param tokens token ids; NO_TOKEN where undecided
   * @param confidences probability 0..1 the model gave the token when it was last asked; 0 where
   *     undecided, 1 where pinned
   * @param alternatives what the model held probable when it was last asked; may be empty
   */
  public CanvasSnapshot(
      int block,
      int step,
      int totalSteps,
      int changes,
      int[] tokens,
      TokenState[] states,
      float[] confidences,
      Alternatives[] alternatives) {
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
    this.alternatives = alternatives;
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

  /** What the model held probable at a position when it was last asked, if that was wanted. */
  public Alternatives alternatives(int position) {
    return alternatives.length == 0 ? Alternatives.NONE : alternatives[position];
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
