package io.sfumato.server.verify;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.verify.VerificationRow.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Replays recorded passes through the engine and compares logits and candidates. Confined to the
 * thread that uses the engine.
 */
final class ForwardReplay {

  private final NativeEngine engine;
  private final double tolerance;
  private final double clearGap;
  private final StepBatch batch;
  private final int vocabulary;

  /**
   * @param tolerance largest absolute error
   * @param clearGap where the two best logits are closer than this, either may be found best
   */
  ForwardReplay(NativeEngine engine, double tolerance, double clearGap) {
    this.engine = engine;
    this.tolerance = tolerance;
    this.clearGap = clearGap;
    batch = new StepBatch(engine.limits());
    vocabulary = engine.info().vocabulary();
  }

  /**
   * All cases in their order; those that were recorded as one batch go through the engine as one
   * step.
   */
  List<VerificationRow> replay(List<ForwardCase> cases) {
    List<VerificationRow> rows = new ArrayList<>();
    int start = 0;
    while (start < cases.size()) {
      int end = start + 1;
      String label = cases.get(start).batch();
      int tokens = cases.get(start).tokens().length;
      while (!label.isEmpty()
          && end < cases.size()
          && end - start < engine.limits().items()
          && cases.get(end).batch().equals(label)
          && tokens + cases.get(end).tokens().length <= engine.limits().batchTokens()) {
        tokens += cases.get(end).tokens().length;
        end++;
      }
      if (tokens > engine.limits().batchTokens()) {
        throw new ServingException(
            ErrorReason.CONTEXT_TOO_LONG,
            cases.get(start).name()
                + ": "
                + tokens
                + " tokens (expected: <= "
                + engine.limits().batchTokens()
                + ")");
      }
      rows.addAll(replayTogether(cases.subList(start, end)));
      start = end;
    }
    return rows;
  }

  private List<VerificationRow> replayTogether(List<ForwardCase> cases) {
    batch.clear();
    for (ForwardCase each : cases) {
      batch
          .add(ItemKind.DENOISE, batch.itemCount(), 0)
          .blocks(each.blockLength(), each.blockOffset());
      for (int token : each.tokens()) {
        batch.addToken(token);
      }
      for (int row = 0; row < each.tokens().length; row++) {
        batch.addCandidateRow(row);
      }
    }
    float[] logits = engine.logits(batch);
    Candidates candidates = engine.run(batch);
    List<VerificationRow> rows = new ArrayList<>();
    int firstRow = 0;
    for (ForwardCase each : cases) {
      rows.add(compare(each, logits, candidates, firstRow));
      firstRow += each.tokens().length;
    }
    return rows;
  }

  private VerificationRow compare(
      ForwardCase expected, float[] logits, Candidates candidates, int firstRow) {
    double largest = 0;
    int wrongChoices = 0;
    for (int position = 0; position < expected.tokens().length; position++) {
      int row = firstRow + position;
      largest =
          worse(largest, candidates.bestProbability(row) - expected.maxProbability()[position]);
      largest = worse(largest, candidates.entropy(row) - expected.entropy()[position]);
      for (int token = 0; expected.logits() != null && token < vocabulary; token++) {
        largest =
            worse(
                largest,
                logits[row * vocabulary + token]
                    - (double) expected.logits()[position * vocabulary + token]);
      }
      boolean clear = expected.gap()[position] > clearGap;
      wrongChoices += clear && candidates.bestToken(row) != expected.argmax()[position] ? 1 : 0;
    }
    String compared =
        expected.logits() == null
            ? "probabilities and entropies"
            : "logits, probabilities and entropies";
    String detail =
        String.format(
            Locale.ROOT,
            "%d positions: %s within %.0e",
            expected.tokens().length,
            compared,
            tolerance);
    if (wrongChoices > 0) {
      detail += "; " + wrongChoices + " best tokens differ";
    }
    boolean good = largest <= tolerance && wrongChoices == 0;
    return new VerificationRow(
        "forward " + expected.name(), good ? Outcome.PASS : Outcome.FAIL, largest, detail);
  }

  /** NaN is the worst of all. */
  private static double worse(double largest, double error) {
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : Math.max(largest, Math.abs(error));
  }
}
