package io.sfumato.server.app.bench.policies;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * The reference run of one text: what the model proposed at each pass, and what became of it.
 * Immutable by convention: the arrays are not changed.
 */
final class CandidateTrace {

  static final int LONGEST_PROMPT = 1 << 16;
  static final int NONE = -1;

  private final int[] promptTokens;
  private final List<TracePass> passes;
  private final int[] result;
  private final int[] decided; // [passes], positions decided before each
  private final int[] firstPass; // [positions], pass in which the position was first proposed for
  private final int[] lastPass; // [positions]

  /**
   * @param result final tokens, the end of text left out
   * @throws IllegalArgumentException when that is not a run of a session with the header's lengths
   */
  CandidateTrace(TraceHeader header, int[] promptTokens, List<TracePass> passes, int[] result) {
    this.promptTokens = promptTokens;
    this.passes = List.copyOf(passes);
    this.result = result;
    int length = header.canvasLength();
    int least = header.endOfTextTokens().length == 0 ? length : 0;
    Require.range("prompt tokens", promptTokens.length, 0, LONGEST_PROMPT);
    Require.tokens("prompt", promptTokens, header.vocabulary());
    Require.range("result tokens", result.length, least, length);
    Require.tokens("result", result, header.vocabulary());
    Require.range("passes", passes.size(), 1, length);
    decided = new int[passes.size()];
    firstPass = new int[length];
    lastPass = new int[length];
    Arrays.fill(firstPass, NONE);
    Arrays.fill(lastPass, NONE);
    BitSet before = new BitSet();
    before.set(0, length);
    for (int pass = 0; pass < decided.length; pass++) {
      check(header, pass, before);
      decided[pass] = length - passes.get(pass).undecided().cardinality();
      before = passes.get(pass).undecided();
    }
    for (int position = 0; position < Math.min(result.length + 1, length); position++) {
      if (firstPass[position] == NONE) {
        throw new IllegalArgumentException(
            "position " + position + ": no candidate (expected: one in some pass)");
      }
    }
  }

  private void check(TraceHeader header, int number, BitSet before) {
    TracePass pass = passes.get(number);
    BitSet reopened = (BitSet) pass.undecided().clone();
    reopened.andNot(before);
    int most = before.cardinality() - (number == 0 ? 0 : 1);
    int least = number == 0 ? most : 1;
    if (!reopened.isEmpty()) {
      throw new IllegalArgumentException(
          "pass "
              + number
              + ": position "
              + reopened.nextSetBit(0)
              + " undecided (expected: decided, or within "
              + header.canvasLength()
              + ")");
    }
    Require.range("pass " + number + " undecided", pass.undecided().cardinality(), least, most);
    Require.range("pass " + number + " rows", pass.rows(), 1, header.windowLength());
    Require.tokens("pass " + number + " token", pass.tokens(), header.vocabulary());
    for (int row = 0; row < pass.rows(); row++) {
      int position = pass.position(row);
      if (firstPass[position] == NONE) {
        firstPass[position] = number;
      } else if (lastPass[position] != number - 1) {
        throw new IllegalArgumentException(
            "pass "
                + number
                + ": position "
                + position
                + " again (expected: no gap in its passes)");
      }
      lastPass[position] = number;
    }
  }

  /** Not a copy. */
  int[] promptTokens() {
    return promptTokens;
  }

  List<TracePass> passes() {
    return passes;
  }

  /** Final tokens, the end of text left out; not a copy. */
  int[] result() {
    return result;
  }

  /** The first pass with at least that many positions decided; the last one when none has. */
  int passAfter(int positionsDecided) {
    int found = Arrays.binarySearch(decided, positionsDecided);
    return Math.min(found >= 0 ? found : -found - 1, decided.length - 1);
  }

  /**
   * The pass nearest to the given one that has a candidate for the position: the newest before it,
   * or else the first after it; NONE when there is no candidate at all.
   */
  int nearest(int pass, int position) {
    if (firstPass[position] == NONE) {
      return NONE;
    }
    return Math.clamp(pass, firstPass[position], lastPass[position]);
  }
}
