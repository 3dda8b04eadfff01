package io.sfumato.server.app.bench.policies;

import io.sfumato.server.session.SessionEvent;

/** What a policy's runs came to, beside the reference runs. Confined to one thread. */
final class PolicyTally {

  private final int canvasLength;
  private int texts;
  private long passes;
  private long accepted;
  private long agreeing;
  private int same;

  PolicyTally(int canvasLength) {
    this.canvasLength = canvasLength;
  }

  void add(SessionEvent.Finished finished, int[] reference) {
    add(finished.usage().forwardPasses(), finished.tokens(), reference);
  }

  /**
   * @param tokens of the text, the end of text left out
   */
  void add(int forwardPasses, int[] tokens, int[] reference) {
    int common = Math.min(tokens.length, reference.length);
    int equal = 0;
    for (int position = 0; position < common; position++) {
      equal += tokens[position] == reference[position] ? 1 : 0;
    }
    boolean sameLength = tokens.length == reference.length;
    boolean ended = tokens.length < canvasLength; // the end of text is an accepted token, too
    texts++;
    passes += forwardPasses;
    accepted += tokens.length + (ended ? 1 : 0);
    agreeing += equal + (ended && sameLength ? 1 : 0);
    same += sameLength && equal == tokens.length ? 1 : 0;
  }

  int texts() {
    return texts;
  }

  /** Forward passes per text. */
  double passes() {
    return (double) passes / texts;
  }

  /** Share of the accepted tokens that stand in the reference at their position, 0..1. */
  double agreement() {
    return (double) agreeing / accepted;
  }

  /** Share of the texts that are the reference's, 0..1. */
  double sameTexts() {
    return (double) same / texts;
  }
}
