package io.sfumato.server.app.bench.policies;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.model.EngineFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * Stands between an engine loop and its engine, and notes what the engine proposes for one session
 * at a time. The loop and its sessions know nothing of it.
 *
 * <p>Opens one engine. {@link #begin} and {@link #passes} are for the thread that opens the
 * sessions, while none is running.
 */
final class CandidateRecorder implements EngineFactory {

  private static final int IDLE = -1;

  private final EngineFactory engines;
  private final List<TracePass> passes = new ArrayList<>();
  private int promptLength = IDLE;

  CandidateRecorder(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public DenoiseEngine open(EngineOptions options) {
    return new Tap(engines.open(options));
  }

  /** The next session has a prompt of that many tokens, and an undecided canvas behind it. */
  void begin(int newPromptLength) {
    promptLength = newPromptLength;
    passes.clear();
  }

  /** What the engine has proposed since {@link #begin}. */
  List<TracePass> passes() {
    return List.copyOf(passes);
  }

  private void record(StepBatch batch, Candidates candidates) {
    StepItem item = batch.item(0);
    int start = item.tokenOffset() + promptLength;
    int end = item.tokenOffset() + item.tokenCount();
    int mask = maskOf(batch, item);
    BitSet undecided = new BitSet();
    for (int index = start; index < end; index++) {
      undecided.set(index - start, batch.tokens()[index] == mask);
    }
    int first = item.candidateOffset();
    int rows = item.candidateCount();
    requireFirst(undecided, Arrays.copyOfRange(batch.candidateRows(), first, first + rows));
    int[] tokens = new int[rows];
    float[] probabilities = new float[rows];
    float[] secondProbabilities = new float[rows];
    float[] entropies = new float[rows];
    for (int row = 0; row < rows; row++) {
      tokens[row] = candidates.bestToken(first + row);
      probabilities[row] = candidates.bestProbability(first + row);
      secondProbabilities[row] = candidates.secondProbability(first + row);
      entropies[row] = candidates.entropy(first + row);
    }
    passes.add(new TracePass(undecided, tokens, probabilities, secondProbabilities, entropies));
  }

  /** Candidates are asked for where the mask stands. */
  private static int maskOf(StepBatch batch, StepItem item) {
    return batch.tokens()[item.tokenOffset() + batch.candidateRows()[item.candidateOffset()]];
  }

  private void requireFirst(BitSet undecided, int[] rows) {
    int position = -1;
    for (int row : rows) {
      position = undecided.nextSetBit(position + 1);
      if (row - promptLength != position) {
        throw new IllegalStateException(
            "row: " + (row - promptLength) + " (expected: undecided position " + position + ")");
      }
    }
  }

  private final class Tap implements DenoiseEngine {

    private final DenoiseEngine engine;

    Tap(DenoiseEngine engine) {
      this.engine = engine;
    }

    @Override
    public EngineInfo info() {
      return engine.info();
    }

    @Override
    public EngineLimits limits() {
      return engine.limits();
    }

    @Override
    public Candidates run(StepBatch batch) {
      Candidates candidates = engine.run(batch);
      if (promptLength != IDLE) {
        record(batch, candidates);
      }
      return candidates;
    }

    @Override
    public void resetSlot(int slot) {
      engine.resetSlot(slot);
    }

    @Override
    public void close() {
      engine.close();
    }
  }
}
