package io.sfumato.server.app.bench.policies;

import java.util.BitSet;
import java.util.List;

/** Recorded runs written by hand. */
final class Traces {

  static final int END = 1;
  static final String DIGEST = "0123456789abcdef".repeat(4);

  private Traces() {}

  /** Vocabulary 10, canvas and block of 4, a window of 2. */
  static TraceHeader header(int traces) {
    return new TraceHeader(DIGEST, 10, 4, 4, 2, new int[] {END}, traces);
  }

  /**
   * "5 6 7 end", decided in the order 0, 2, 1, 3. Position 1 is first proposed an 8, and a 6 once
   * position 0 is decided.
   */
  static CandidateTrace threeTokens(TraceHeader header) {
    List<TracePass> passes =
        List.of(
            pass(of(0, 1, 2, 3), row(5, .9f, .05f, .3f), row(8, .6f, .3f, 1)),
            pass(of(1, 2, 3), row(6, .7f, .2f, .8f), row(7, .95f, .01f, .2f)),
            pass(of(1, 3), row(6, .8f, .1f, .6f)),
            pass(of(3), row(END, .99f, 0, .05f)));
    return new CandidateTrace(header, new int[] {2, 3}, passes, new int[] {5, 6, 7});
  }

  /** "5 end": nothing was ever proposed for position 3. */
  static CandidateTrace oneToken(TraceHeader header) {
    List<TracePass> passes =
        List.of(
            pass(of(0, 1, 2, 3), row(5, .9f, .05f, .3f), row(8, .6f, .3f, 1)),
            pass(of(1, 2, 3), row(END, .9f, .05f, .3f), row(9, .3f, .2f, 2)));
    return new CandidateTrace(header, new int[] {2}, passes, new int[] {5});
  }

  /** What is proposed for one position. */
  record Row(int token, float probability, float second, float entropy) {}

  static Row row(int token, float probability, float second, float entropy) {
    return new Row(token, probability, second, entropy);
  }

  static TracePass pass(BitSet undecided, Row... rows) {
    int[] tokens = new int[rows.length];
    float[] probabilities = new float[rows.length];
    float[] seconds = new float[rows.length];
    float[] entropies = new float[rows.length];
    for (int index = 0; index < rows.length; index++) {
      tokens[index] = rows[index].token();
      probabilities[index] = rows[index].probability();
      seconds[index] = rows[index].second();
      entropies[index] = rows[index].entropy();
    }
    return new TracePass(undecided, tokens, probabilities, seconds, entropies);
  }

  static BitSet of(int... positions) {
    BitSet set = new BitSet();
    for (int position : positions) {
      set.set(position);
    }
    return set;
  }
}
