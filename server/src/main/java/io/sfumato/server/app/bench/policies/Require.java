package io.sfumato.server.app.bench.policies;

/** Checks of what a trace may hold. Stateless and thread-safe. */
final class Require {

  private Require() {}

  /**
   * @return the value
   * @throws IllegalArgumentException when it is not in least..most
   */
  static int range(String name, int value, int least, int most) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          name + ": " + value + " (expected: " + least + ".." + most + ")");
    }
    return value;
  }

  /**
   * @throws IllegalArgumentException when one is not in 0..vocabulary-1
   */
  static void tokens(String name, int[] tokens, int vocabulary) {
    for (int index = 0; index < tokens.length; index++) {
      range(name + "[" + index + "]", tokens[index], 0, vocabulary - 1);
    }
  }
}
