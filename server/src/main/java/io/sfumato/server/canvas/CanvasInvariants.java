package io.sfumato.server.canvas;

/**
 * Watches the canvases of one session and refuses what no client may ever see: a pin or a committed
 * token that changes, committed positions with a gap, a decided position without a token or with
 * the mask, a step that goes back.
 *
 * <p>For tests and checks; confined to one thread at a time.
 */
public final class CanvasInvariants {

  private final CanvasStart start;
  private final int maskToken;
  private CanvasSnapshot previous;

  /**
   * @param maskToken a token that must never be decided; NO_TOKEN for none
   */
  public CanvasInvariants(CanvasStart start, int maskToken) {
    this.start = start;
    this.maskToken = maskToken;
  }

  /**
   * Checks one canvas against itself and the last one.
   *
   * @throws IllegalStateException naming the first position that is wrong
   */
  public void observe(CanvasSnapshot canvas) {
    if (canvas.length() != start.length()) {
      throw new IllegalStateException(
          "canvas_length: " + canvas.length() + " (expected: " + start.length() + ")");
    }
    boolean committed = true;
    for (int position = 0; position < canvas.length(); position++) {
      checkToken(canvas, position);
      checkHistory(canvas, position);
      committed = checkPrefix(canvas, position, committed);
    }
    if (previous != null
        && (canvas.totalSteps() < previous.totalSteps() || canvas.block() < previous.block())) {
      throw new IllegalStateException(
          "step: " + canvas.totalSteps() + " (expected: >= " + previous.totalSteps() + ")");
    }
    previous = canvas;
  }

  /** Checks the counters of a canvas against its positions. */
  public static void check(Canvas canvas) {
    int undecided = canvas.undecided(0, canvas.length());
    if (canvas.undecided() != undecided) {
      throw new IllegalStateException(
          "undecided: " + canvas.undecided() + " (expected: " + undecided + ")");
    }
    if (canvas.committedLength() > canvas.endLength()
        || (canvas.isFinished() && canvas.committedLength() != canvas.endLength())) {
      throw new IllegalStateException(
          "committed_length: "
              + canvas.committedLength()
              + " (expected: "
              + canvas.endLength()
              + ")");
    }
    int revisions = 0;
    for (int position = 0; position < canvas.length(); position++) {
      revisions += canvas.history().revisions(position);
    }
    if (canvas.history().totalRevisions() < revisions) { // edits take revised positions away
      throw new IllegalStateException(
          "revisions: " + canvas.history().totalRevisions() + " (expected: >= " + revisions + ")");
    }
  }

  private void checkToken(CanvasSnapshot canvas, int position) {
    boolean undecided = canvas.state(position) == TokenState.UNDECIDED;
    int token = canvas.token(position);
    if (undecided != (token == CanvasSnapshot.NO_TOKEN)) {
      throw wrong(canvas, position, "a token exactly where the canvas is decided");
    }
    boolean own = start.tokens()[position] == token;
    if (!undecided && token == maskToken && !own) {
      throw wrong(canvas, position, "no mask token where the canvas is decided");
    }
  }

  private void checkHistory(CanvasSnapshot canvas, int position) {
    if (start.pinned()[position]
        && (canvas.token(position) != start.tokens()[position]
            || !isFixed(canvas.state(position)))) {
      throw wrong(canvas, position, "the pinned token " + start.tokens()[position]);
    }
    if (previous == null || previous.state(position) != TokenState.COMMITTED) {
      return;
    }
    if (canvas.state(position) != TokenState.COMMITTED
        || canvas.token(position) != previous.token(position)) {
      throw wrong(canvas, position, "the committed token " + previous.token(position));
    }
  }

  private static boolean checkPrefix(CanvasSnapshot canvas, int position, boolean committedBefore) {
    boolean committed = canvas.state(position) == TokenState.COMMITTED;
    if (committed && !committedBefore) {
      throw wrong(canvas, position, "committed positions without a gap");
    }
    return committed;
  }

  private static boolean isFixed(TokenState state) {
    return state == TokenState.PINNED || state == TokenState.COMMITTED;
  }

  private static IllegalStateException wrong(CanvasSnapshot canvas, int position, String expected) {
    return new IllegalStateException(
        "position "
            + position
            + ": "
            + canvas.state(position)
            + " "
            + canvas.token(position)
            + " (expected: "
            + expected
            + ")");
  }
}
