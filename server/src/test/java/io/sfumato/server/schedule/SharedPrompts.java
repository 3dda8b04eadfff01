package io.sfumato.server.schedule;

import java.util.Random;

/**
 * Random sessions, most of which attend in blocks of one length and begin like others. Confined to
 * one thread.
 */
final class SharedPrompts {

  private final Random random;
  private final int vocabulary;
  private final int mostTokens;
  private final int block;
  private final boolean shifted;
  private final int[][] beginnings;

  /**
   * @param mostTokens of prompt and canvas together
   * @param block usual length of blocks
   */
  SharedPrompts(Random random, int vocabulary, int mostTokens, int block, boolean shifted) {
    this.random = random;
    this.vocabulary = vocabulary;
    this.mostTokens = mostTokens;
    this.block = block;
    this.shifted = shifted;
    beginnings = new int[2][];
    for (int index = 0; index < beginnings.length; index++) {
      beginnings[index] = random.ints(2 * mostTokens / 3, 0, vocabulary).toArray();
    }
  }

  Specs next() {
    Specs specs = Specs.random(random, vocabulary, mostTokens / 3).prompt(prompt());
    int other = 1 + random.nextInt(20);
    int salted = random.nextInt(8);
    return switch (random.nextInt(8)) {
      case 0 -> specs.causal(other, random.nextInt(other), shifted);
      case 1 -> specs.causal(block, random.nextInt(block), shifted);
      default -> specs.causal(block, 0, shifted).cacheSalt(salted == 0 ? "salt" : "");
    };
  }

  private int[] prompt() {
    int[] prompt = random.ints(random.nextInt(2 * mostTokens / 3 + 1), 0, vocabulary).toArray();
    int[] beginning = beginnings[random.nextInt(beginnings.length)];
    int same = random.nextInt(3) > 0 ? prompt.length : random.nextInt(prompt.length + 1);
    System.arraycopy(beginning, 0, prompt, 0, same);
    return prompt;
  }
}
