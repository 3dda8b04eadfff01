package io.sfumato.server.app.terminal;

import io.sfumato.v1.TokenState;

/**
 * How a piece of canvas is drawn: by its state and, while it may change, by how sure the model is.
 */
public enum Look {
  UNDECIDED("#4e4e4e", 239),
  DOUBTFUL("#5f5f87", 60),
  UNSURE("#875faf", 97),
  LIKELY("#af5faf", 133),
  SURE("#d7875f", 173),
  CERTAIN("#ffd787", 222),
  COMMITTED("#e4e4e4", -1),
  PINNED("#5fd7d7", 80);

  private static final Look[] PROVISIONAL = {DOUBTFUL, UNSURE, LIKELY, SURE, CERTAIN};
  private static final int[] BELOW = {
    77, 128, 179, 230, 256
  }; // confidence of 255: 0.3, 0.5, 0.7, 0.9

  private final String colour;
  private final int terminalColour;

  Look(String colour, int terminalColour) {
    this.colour = colour;
    this.terminalColour = terminalColour;
  }

  /**
   * @param confidence 0..255
   */
  static Look of(TokenState state, int confidence) {
    return switch (state) {
      case TOKEN_STATE_PROVISIONAL -> provisional(confidence);
      case TOKEN_STATE_COMMITTED -> COMMITTED;
      case TOKEN_STATE_PINNED -> PINNED;
      case TOKEN_STATE_UNDECIDED, TOKEN_STATE_UNSPECIFIED, UNRECOGNIZED -> UNDECIDED;
    };
  }

  private static Look provisional(int confidence) {
    for (int index = 0; index < BELOW.length; index++) {
      if (confidence < BELOW[index]) {
        return PROVISIONAL[index];
      }
    }
    return CERTAIN;
  }

  /** For pictures, {@code #rrggbb} on a dark ground. */
  String colour() {
    return colour;
  }

  /** Of a terminal's 256 colours; -1 for its usual one. */
  int terminalColour() {
    return terminalColour;
  }
}
