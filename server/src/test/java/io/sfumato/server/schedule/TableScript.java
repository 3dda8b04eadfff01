package io.sfumato.server.schedule;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A model written down as a table: for each position of the sequence the token it proposes, how
 * sure it is, and what it thinks of the token that stands there. Entropy is one less the
 * confidence.
 */
final class TableScript implements ScriptedEngine.Script {

  final int[] tokens;
  final float[] confidences;
  final float[] inputProbabilities;
  private final Map<List<Integer>, Float> probes = new HashMap<>();
  final List<Float> temperatures = new ArrayList<>();
  int[] lastTokens = {};
  int[] lastRows = {};

  TableScript(int length) {
    tokens = new int[length];
    confidences = new float[length];
    inputProbabilities = new float[length];
    for (int position = 0; position < length; position++) {
      tokens[position] = 10 + position;
      confidences[position] = .5f;
      inputProbabilities[position] = 1;
    }
  }

  TableScript confidences(float... values) {
    System.arraycopy(values, 0, confidences, 0, values.length);
    return this;
  }

  /** What the model thinks of a token at a position, if that is asked. */
  TableScript probe(int position, int token, float probability) {
    probes.put(List.of(position, token), probability);
    return this;
  }

  TableScript token(int position, int token) {
    tokens[position] = token;
    return this;
  }

  @Override
  public void propose(long run, StepBatch batch, Candidates candidates) {
    StepItem item = batch.item(0);
    temperatures.add(item.temperature());
    lastTokens =
        java.util.Arrays.copyOfRange(
            batch.tokens(), item.tokenOffset(), item.tokenOffset() + item.tokenCount());
    lastRows =
        java.util.Arrays.copyOfRange(
            batch.candidateRows(),
            item.candidateOffset(),
            item.candidateOffset() + item.candidateCount());
    for (int candidate = 0; candidate < item.candidateCount(); candidate++) {
      int row = lastRows[candidate];
      float confidence = confidences[row];
      int probe = batch.candidateTokens()[item.candidateOffset() + candidate];
      candidates.set(
          item.candidateOffset() + candidate,
          tokens[row],
          confidence,
          tokens[row],
          confidence,
          0,
          1 - confidence,
          probe < 0 ? inputProbabilities[row] : probes.get(List.of(row, probe)));
    }
  }
}
