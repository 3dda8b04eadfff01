package io.sfumato.engine;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;

/**
 * What the model proposes for each requested row of a step, in the order of the batch's candidate
 * rows.
 *
 * <p>Allocated once and overwritten by every run; confined to the engine thread. Probabilities are
 * 0..1, entropies in nats.
 */
public final class Candidates {

  private final int topCapacity;
  private final int[] sampledToken;
  private final float[] sampledProbability;
  private final int[] bestToken;
  private final float[] bestProbability;
  private final float[] secondProbability;
  private final float[] entropy;
  private final float[] inputProbability;
  private final int[] topTokens; // [rows, topCapacity]
  private final float[] topProbabilities; // [rows, topCapacity]

  public Candidates(EngineLimits limits) {
    int rows = limits.candidates();
    topCapacity = limits.topCandidates();
    sampledToken = new int[rows];
    sampledProbability = new float[rows];
    bestToken = new int[rows];
    bestProbability = new float[rows];
    secondProbability = new float[rows];
    entropy = new float[rows];
    inputProbability = new float[rows];
    topTokens = new int[rows * topCapacity];
    topProbabilities = new float[rows * topCapacity];
    Arrays.fill(topTokens, -1);
  }

  /** The token drawn at the item's temperature; the most probable one at temperature 0. */
  public int sampledToken(int row) {
    return sampledToken[row];
  }

  public float sampledProbability(int row) {
    return sampledProbability[row];
  }

  /** The most probable token. */
  public int bestToken(int row) {
    return bestToken[row];
  }

  public float bestProbability(int row) {
    return bestProbability[row];
  }

  /** Probability of the runner-up. */
  public float secondProbability(int row) {
    return secondProbability[row];
  }

  /** Entropy of the row's distribution in nats. */
  public float entropy(int row) {
    return entropy[row];
  }

  /** Probability of the token that the row asked for: the one that stands there, if none. */
  public float inputProbability(int row) {
    return inputProbability[row];
  }

  /** The token of the given rank, most probable first; -1 beyond the item's top count. */
  public int topToken(int row, int rank) {
    return topTokens[row * topCapacity + rank];
  }

  public float topProbability(int row, int rank) {
    return topProbabilities[row * topCapacity + rank];
  }

  /** Writes one row; for engines. */
  public void set(
      int row,
      int newSampledToken,
      float newSampledProbability,
      int newBestToken,
      float newBestProbability,
      float newSecondProbability,
      float newEntropy,
      float newInputProbability) {
    sampledToken[row] = newSampledToken;
    sampledProbability[row] = newSampledProbability;
    bestToken[row] = newBestToken;
    bestProbability[row] = newBestProbability;
    secondProbability[row] = newSecondProbability;
    entropy[row] = newEntropy;
    inputProbability[row] = newInputProbability;
  }

  /** Writes one alternative of a row; for engines. */
  public void setTop(int row, int rank, int token, float probability) {
    topTokens[row * topCapacity + rank] = token;
    topProbabilities[row * topCapacity + rank] = probability;
  }

  /** Copies the first rows of arrays that are laid out like these; for engines. */
  void read(
      int rows,
      IntBuffer sampledTokens,
      FloatBuffer sampledProbabilities,
      IntBuffer bestTokens,
      FloatBuffer bestProbabilities,
      FloatBuffer secondProbabilities,
      FloatBuffer entropies,
      FloatBuffer inputProbabilities,
      IntBuffer alternatives,
      FloatBuffer alternativeProbabilities) {
    sampledTokens.get(0, sampledToken, 0, rows);
    sampledProbabilities.get(0, sampledProbability, 0, rows);
    bestTokens.get(0, bestToken, 0, rows);
    bestProbabilities.get(0, bestProbability, 0, rows);
    secondProbabilities.get(0, secondProbability, 0, rows);
    entropies.get(0, entropy, 0, rows);
    inputProbabilities.get(0, inputProbability, 0, rows);
    alternatives.get(0, topTokens, 0, rows * topCapacity);
    alternativeProbabilities.get(0, topProbabilities, 0, rows * topCapacity);
  }
}
