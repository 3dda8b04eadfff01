package io.sfumato.server.verify;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.verify.VerificationRow.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

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
      int tokens = tokens(cases.get(start));
      while (!label.isEmpty()
          && end < cases.size()
          && end - start < engine.limits().items()
          && cases.get(end).batch().equals(label)
          && tokens + tokens(cases.get(end)) <= engine.limits().batchTokens()) {
        tokens += tokens(cases.get(end));
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
      ForwardCase before = null;
      if (cases.get(start).conditioning() != null) {
        before = cases.get(Math.max(0, start - 1));
      }
      rows.addAll(replayTogether(cases.subList(start, end), Optional.ofNullable(before)));
      start = end;
    }
    return rows;
  }

  /** Of prompt and canvas. */
  private static int tokens(ForwardCase each) {
    return each.prompt().length + each.tokens().length;
  }

  private List<VerificationRow> replayTogether(
      List<ForwardCase> cases, Optional<ForwardCase> before) {
    encode(cases);
    fill(cases, before);
    float[] logits = engine.logits(batch);
    fill(cases, before);
    Candidates candidates = engine.run(batch);
    List<VerificationRow> rows = new ArrayList<>();
    int firstRow = 0;
    for (ForwardCase each : cases) {
      rows.add(compare(each, logits, candidates, firstRow));
      firstRow += each.tokens().length;
    }
    return rows;
  }

  /** Lets the engine keep the context of those cases that have one. */
  private void encode(List<ForwardCase> cases) {
    batch.clear();
    for (int slot = 0, page = 0; slot < cases.size(); slot++) {
      ForwardCase each = cases.get(slot);
      if (each.prompt().length > 0) {
        batch.add(ItemKind.PREFILL, slot, 0);
        addTokens(each.prompt());
        page = addPages(each, page);
      }
    }
    if (batch.itemCount() > 0) {
      engine.run(batch);
    }
  }

  /** The cases as one step; what it is conditioned on is run first. */
  private void fill(List<ForwardCase> cases, Optional<ForwardCase> before) {
    if (before.isPresent()) {
      float temperature = temperature(before.get(), cases.getFirst());
      fill(List.of(before.get()), 1, temperature);
      engine.run(batch);
    }
    fill(cases, before.isPresent() ? 2 : 1, 0);
  }

  private void fill(List<ForwardCase> cases, int step, float temperature) {
    batch.clear();
    int page = 0;
    for (ForwardCase each : cases) {
      batch
          .add(
              each.encodes() ? ItemKind.PREFILL : ItemKind.DENOISE,
              batch.itemCount(),
              each.prompt().length)
          .contextTokens(each.prompt().length)
          .blocks(each.blockLength(), each.blockOffset())
          .randomness(0, 0, step)
          .temperature(temperature)
          .temperedProbabilities(temperature > 0);
      addTokens(each.tokens());
      for (int row = 0; row < each.tokens().length; row++) {
        batch.addCandidateRow(row);
      }
      page = addPages(each, page);
    }
  }

  private void addTokens(int[] tokens) {
    for (int token : tokens) {
      batch.addToken(token);
    }
  }

  /** The pages of a case follow those of the case before. */
  private int addPages(ForwardCase each, int firstPage) {
    int end = firstPage + Math.ceilDiv(each.kept(), engine.limits().pageTokens());
    for (int page = firstPage; page < end; page++) {
      batch.addPage(page);
    }
    return end;
  }

  /** By what the logits of a case are divided in what the next one is conditioned on. */
  private static float temperature(ForwardCase before, ForwardCase conditioned) {
    float[] logits = before.logits();
    float[] divided = conditioned.conditioning();
    if (logits == null
        || logits.length != divided.length
        || !Arrays.equals(before.prompt(), conditioned.prompt())) {
      throw notTheCaseBefore(conditioned);
    }
    int largest = 0;
    for (int index = 0; index < logits.length; index++) {
      largest = Math.abs(logits[index]) > Math.abs(logits[largest]) ? index : largest;
    }
    float temperature = logits[largest] / divided[largest];
    for (int index = 0; index < logits.length; index++) {
      if (!(Math.abs(logits[index] / temperature - divided[index]) < 1e-4)) {
        throw notTheCaseBefore(conditioned);
      }
    }
    return temperature;
  }

  private static ServingException notTheCaseBefore(ForwardCase conditioned) {
    return new ServingException(
        ErrorReason.MODEL_CAPABILITY,
        "golden.json: "
            + conditioned.name()
            + ".self_conditioning_logits: other numbers (expected: the logits of the case before,"
            + " with the same prompt, over a temperature)");
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
