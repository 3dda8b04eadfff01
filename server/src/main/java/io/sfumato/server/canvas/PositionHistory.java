package io.sfumato.server.canvas;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a canvas remembers of each position beside what stands there: which tokens have stood there,
 * and what the model held probable when it was last asked. It begins anew where the client puts
 * something, and moves with the text.
 *
 * <p>Confined to the engine thread.
 */
public final class PositionHistory {

  private static final Alternatives[] NO_ALTERNATIVES = {};

  private final int[] revisions;
  private final int[] firstTokens;
  private final int[] lastTokens; // also of positions that are open again
  private final int[] replacements;
  private final int[] steps; // of the last replacement
  private Alternatives[] alternatives = NO_ALTERNATIVES; // [canvas] once there are any
  private int totalRevisions;
  private int step;

  PositionHistory(int length) {
    revisions = new int[length];
    firstTokens = new int[length];
    lastTokens = new int[length];
    replacements = new int[length];
    steps = new int[length];
  }

  /** Forgets a position, where a token of the client's stands now, or none. */
  void begin(int position, int token) {
    revisions[position] = 0;
    firstTokens[position] = token;
    lastTokens[position] = token;
    replacements[position] = 0;
    if (alternatives.length > 0) {
      alternatives[position] = Alternatives.NONE;
    }
  }

  /** Moves what is known of some positions. */
  void shift(int from, int to, int count) {
    System.arraycopy(revisions, from, revisions, to, count);
    System.arraycopy(firstTokens, from, firstTokens, to, count);
    System.arraycopy(lastTokens, from, lastTokens, to, count);
    System.arraycopy(replacements, from, replacements, to, count);
    System.arraycopy(steps, from, steps, to, count);
    if (alternatives.length > 0) {
      System.arraycopy(alternatives, from, alternatives, to, count);
    }
  }

  /** A token was decided. */
  void wrote(int position, int token) {
    if (lastTokens[position] == CanvasSnapshot.NO_TOKEN) {
      firstTokens[position] = token;
    } else if (lastTokens[position] != token) {
      replacements[position]++;
      steps[position] = step;
    }
    lastTokens[position] = token;
  }

  /** The model has come to doubt a token. */
  void revised(int position) {
    revisions[position]++;
    totalRevisions++;
  }

  /** A copy for a snapshot: one per position, or empty when there never were any. */
  Alternatives[] alternatives() {
    return alternatives.length == 0 ? NO_ALTERNATIVES : alternatives.clone();
  }

  /** What is decided from now on is decided after so many steps, all blocks together. */
  public void atStep(int totalSteps) {
    step = totalSteps;
  }

  /** Notes what the model holds probable at a position. */
  public void consider(int position, Alternatives considered) {
    if (alternatives.length == 0) {
      alternatives = new Alternatives[revisions.length];
      Arrays.fill(alternatives, Alternatives.NONE);
    }
    alternatives[position] = considered;
  }

  /** How often the position was opened again because the model had come to doubt its token. */
  public int revisions(int position) {
    return revisions[position];
  }

  /** Tokens opened again so far because of doubts. */
  public int totalRevisions() {
    return totalRevisions;
  }

  /** The positions before the given one whose token was replaced, ascending. */
  public List<RevisedToken> revisedTokens(int end) {
    List<RevisedToken> revised = new ArrayList<>();
    for (int position = 0; position < end; position++) {
      if (replacements[position] > 0) {
        revised.add(
            new RevisedToken(
                position,
                firstTokens[position],
                lastTokens[position],
                steps[position],
                replacements[position]));
      }
    }
    return revised;
  }
}
