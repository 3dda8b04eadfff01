package io.sfumato.server.session;

import io.sfumato.engine.Candidates;
import io.sfumato.server.canvas.Alternatives;
import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.sampling.CandidateView;

/**
 * The canvas positions for which one step of a session wants candidates, and, after the step, what
 * the model proposes for those of them that are undecided.
 *
 * <p>Allocated once per session and refilled every step; confined to the engine thread.
 */
final class StepRows implements CandidateView {

  private final int promptLength;
  private final int[] positions; // canvas positions of all rows, ascending
  private final int[]
      probes; // token whose probability a row tells; -1 for the one that stands there
  private final int[] open; // rows that are undecided
  private int count;
  private int openCount;
  private Candidates candidates;
  private int offset;

  /**
   * @param mostRows that are added for themselves
   * @param probes most rows that are added for tokens of their own
   */
  StepRows(int promptLength, int mostRows, int probes) {
    this.promptLength = promptLength;
    positions = new int[mostRows + probes];
    this.probes = new int[mostRows + probes];
    open = new int[mostRows];
  }

  void clear() {
    count = 0;
    openCount = 0;
    candidates = null;
  }

  /** Adds a position; ascending. */
  void add(int position, boolean undecided) {
    if (undecided) {
      open[openCount++] = count;
    }
    probes[count] = -1;
    positions[count++] = position;
  }

  /** Asks for the probability of one token at a position; ascending. */
  void addProbe(int position, int token) {
    probes[count] = token;
    positions[count++] = position;
  }

  /** Where the engine's candidates for these rows start. */
  void placedAt(int candidateOffset) {
    offset = candidateOffset;
  }

  void read(Candidates newCandidates) {
    candidates = newCandidates;
  }

  /** Rows, decided ones included. */
  int rows() {
    return count;
  }

  /** Canvas position of the first row; the given one when there are no rows. */
  int firstPosition(int otherwise) {
    return count == 0 ? otherwise : positions[0];
  }

  /** First canvas position after the rows; 0 when there are none. */
  int endPosition() {
    return count == 0 ? 0 : positions[count - 1] + 1;
  }

  /** Canvas position of a row. */
  int canvasPosition(int row) {
    return positions[row];
  }

  /** Token whose probability a row asks for; -1 for the one that stands there. */
  int probe(int row) {
    return probes[row];
  }

  float inputProbability(int row) {
    return candidates.inputProbability(offset + row);
  }

  /** Token that the model proposes at a row, decided or not. */
  int proposedToken(int row) {
    return candidates.sampledToken(offset + row);
  }

  float proposedConfidence(int row) {
    return candidates.sampledProbability(offset + row);
  }

  /** Notes the most probable tokens of each row that is about a position of the canvas. */
  void considerAlternatives(int most, Canvas canvas) {
    for (int row = 0; most > 0 && row < count && positions[row] < canvas.length(); row++) {
      int found = 0;
      while (found < most && candidates.topToken(offset + row, found) >= 0) {
        found++;
      }
      int[] tokens = new int[found];
      float[] probabilities = new float[found];
      for (int rank = 0; rank < found; rank++) {
        tokens[rank] = candidates.topToken(offset + row, rank);
        probabilities[rank] = candidates.topProbability(offset + row, rank);
      }
      canvas.history().consider(positions[row], new Alternatives(tokens, probabilities));
    }
  }

  /** Canvas position of an undecided row. */
  int openPosition(int index) {
    return positions[open[index]];
  }

  int sampledToken(int index) {
    return candidates.sampledToken(offset + open[index]);
  }

  int bestToken(int index) {
    return candidates.bestToken(offset + open[index]);
  }

  float bestProbability(int index) {
    return candidates.bestProbability(offset + open[index]);
  }

  @Override
  public int count() {
    return openCount;
  }

  @Override
  public int position(int index) {
    return promptLength + openPosition(index);
  }

  @Override
  public float confidence(int index) {
    return candidates.sampledProbability(offset + open[index]);
  }

  @Override
  public float margin(int index) {
    int row = offset + open[index];
    return candidates.bestProbability(row) - candidates.secondProbability(row);
  }

  @Override
  public float entropy(int index) {
    return candidates.entropy(offset + open[index]);
  }
}
