package io.sfumato.server.session;

import io.sfumato.server.session.Template.ChoiceSlot;
import io.sfumato.server.session.Template.Option;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The tokens to ask the model for at each position of a choice slot: those of its options, each
 * once. Made with the session, so that a step looks nothing up.
 *
 * <p>Confined to the engine thread.
 */
final class OptionProbes {

  private static final int NOT_ASKED = -1;

  private final int start;
  private final int[][] tokens; // [length][distinct tokens of the options there]
  private final int[][] indices; // [options][option's length] index of its token among these
  private final int[] firstRows; // [length] row of the first of them in the step at hand

  OptionProbes(ChoiceSlot slot) {
    start = slot.start();
    List<Option> options = slot.options();
    tokens = new int[slot.length()][];
    indices = new int[options.size()][];
    firstRows = new int[slot.length()];
    Arrays.setAll(indices, option -> new int[options.get(option).tokens().length]);
    for (int offset = 0; offset < tokens.length; offset++) {
      Map<Integer, Integer> known = new HashMap<>();
      int[] distinct = new int[options.size()];
      for (int option = 0; option < indices.length; option++) {
        if (offset < indices[option].length) {
          int token = options.get(option).tokens()[offset];
          Integer index = known.putIfAbsent(token, known.size());
          indices[option][offset] = index == null ? known.size() - 1 : index;
          distinct[indices[option][offset]] = token;
        }
      }
      tokens[offset] = Arrays.copyOf(distinct, known.size());
    }
  }

  /** Nothing is asked for yet. */
  void clear() {
    Arrays.fill(firstRows, NOT_ASKED);
  }

  /** Asks for the tokens at one position. */
  void request(int position, StepRows rows) {
    firstRows[position - start] = rows.rows();
    for (int token : tokens[position - start]) {
      rows.addProbe(position, token);
    }
  }

  /**
   * Mean of the logarithms of an option's probabilities at the positions that were asked for; 0
   * where there were none.
   *
   * @param leastProbability what stands for less
   */
  double score(int option, StepRows rows, double leastProbability) {
    double sum = 0;
    int count = 0;
    for (int offset = 0; offset < indices[option].length; offset++) {
      if (firstRows[offset] != NOT_ASKED) {
        float probability = rows.inputProbability(firstRows[offset] + indices[option][offset]);
        sum += Math.log(Math.max(probability, leastProbability));
        count++;
      }
    }
    return count == 0 ? 0 : sum / count;
  }
}
