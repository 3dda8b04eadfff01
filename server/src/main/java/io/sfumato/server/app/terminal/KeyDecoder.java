package io.sfumato.server.app.terminal;

import java.util.Optional;

/**
 * Finds keys in what a terminal sends: characters, and the escape sequences of the arrows. Other
 * sequences are skipped as a whole, so that no part of them counts as a key. Confined to one
 * thread.
 */
final class KeyDecoder {

  private enum State {
    GROUND,
    ESCAPE,
    SEQUENCE
  }

  private static final char ESCAPE = '\u001b';
  private static final char END_OF_TEXT = '\u0003'; // Ctrl-C
  private static final int SHIFT = 1; // in a modifier, less 1

  private State state = State.GROUND;
  private int parameter;

  /** Takes the next character. */
  Optional<Key> accept(char letter) {
    if (letter == ESCAPE) {
      state = State.ESCAPE;
      return Optional.empty();
    }
    return switch (state) {
      case GROUND -> plain(letter);
      case ESCAPE -> {
        parameter = 0;
        state = letter == '[' || letter == 'O' ? State.SEQUENCE : State.GROUND;
        yield Optional.empty();
      }
      case SEQUENCE -> sequence(letter);
    };
  }

  /** Nothing came for a while: an escape was the key itself, which has no meaning. */
  void pause() {
    state = State.GROUND;
  }

  private static Optional<Key> plain(char letter) {
    return Optional.ofNullable(
        switch (letter) {
          case ' ' -> Key.PAUSE;
          case 's' -> Key.STEP;
          case '[' -> Key.EXTEND_LEFT;
          case ']' -> Key.EXTEND_RIGHT;
          case 'p' -> Key.PIN;
          case 'u' -> Key.UNPIN;
          case 'o' -> Key.REOPEN_HALF;
          case 'O' -> Key.REOPEN;
          case 'b' -> Key.BLANK;
          case 'a' -> Key.ALTERNATIVES;
          case 'f' -> Key.FINISH;
          case 'q', END_OF_TEXT -> Key.CANCEL;
          default -> null;
        });
  }

  /** {@code ESC [ A}, or {@code ESC [ 1 ; MODIFIER A}. */
  private Optional<Key> sequence(char letter) {
    if (letter >= '0' && letter <= '9') {
      parameter = (10 * parameter + letter - '0') % 1000;
      return Optional.empty();
    }
    if (letter < '@') {
      parameter = 0;
      return Optional.empty();
    }
    state = State.GROUND;
    boolean shift = parameter > 1 && ((parameter - 1) & SHIFT) != 0;
    return Optional.ofNullable(
        switch (letter) {
          case 'A' -> Key.FAR_LEFT;
          case 'B' -> Key.FAR_RIGHT;
          case 'C' -> shift ? Key.EXTEND_RIGHT : Key.RIGHT;
          case 'D' -> shift ? Key.EXTEND_LEFT : Key.LEFT;
          default -> null;
        });
  }
}
