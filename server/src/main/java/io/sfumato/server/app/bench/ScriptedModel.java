package io.sfumato.server.app.bench;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.EngineDevice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ModelCatalog;
import io.sfumato.server.model.ModelDefaults;
import io.sfumato.server.model.ModelEntry;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.schedule.EngineLoopOptions;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A model whose engine costs nothing, or a fixed time per step: what is measured with it is the
 * server around the model. Thread-safe.
 *
 * <p>One token is accepted per step, so a canvas of n tokens takes n steps.
 */
final class ScriptedModel implements ModelCatalog, AutoCloseable {

  static final String NAME = "scripted";
  static final String ENGINE_THREAD = "engine-scripted";

  private static final int VOCABULARY = 4096;
  private static final int MASK = 0;
  private static final int PROMPT_TOKENS = 64; // at most

  private final EngineLoop loop;
  private final ServedModel served;
  private final AtomicLong stepEndNanos = new AtomicLong();
  private final AtomicLong steps = new AtomicLong();

  /**
   * @param stepNanos time that every step takes; 0 for none
   */
  ScriptedModel(long stepNanos, int canvasLength, int sessions) {
    int positions = canvasLength + PROMPT_TOKENS;
    EngineLimits limits =
        new EngineLimits(
            sessions, sessions, sessions * positions, sessions * canvasLength, 0, 0, 0);
    EngineInfo info =
        new EngineInfo(
            "scripted",
            "none",
            "none",
            VOCABULARY,
            1,
            1,
            positions,
            MASK,
            -1,
            -1,
            AttentionKind.FULL,
            false,
            false,
            false,
            0,
            1,
            0,
            0,
            0,
            EngineDevice.HOST);
    loop =
        new EngineLoop(
            new ScriptedEngine(
                info, limits, (run, batch, candidates) -> propose(stepNanos, batch, candidates)),
            new EngineLoopOptions(ENGINE_THREAD, sessions, -1, 0, "bench-"),
            System::nanoTime,
            () -> {});
    loop.start();
    ModelDefaults defaults =
        new ModelDefaults(
            canvasLength,
            canvasLength,
            canvasLength,
            canvasLength,
            1,
            TemperatureSchedule.GREEDY,
            new AcceptanceSpec.FixedSchedule(
                canvasLength, AcceptanceSpec.Order.CONFIDENCE, AcceptanceSpec.Spread.EVEN),
            RevisionSpec.NONE,
            new int[0],
            0,
            false,
            Optional.empty());
    served = new ServedModel(NAME, "0", info, defaults, Optional.empty(), 0, loop);
  }

  private void propose(long stepNanos, StepBatch batch, Candidates candidates) {
    long end = System.nanoTime() + stepNanos;
    for (int row = 0; row < batch.candidateCount(); row++) {
      int position = batch.candidateRows()[row];
      float confidence = (position * 31 % 97) / 100f;
      candidates.set(row, token(position - 1), confidence, 1, confidence, 0, 1, 0);
    }
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
    stepEndNanos.set(System.nanoTime());
    steps.incrementAndGet();
  }

  /**
   * What the model writes behind a prompt of one token.
   *
   * @param position on the canvas
   */
  static int token(int position) {
    return 1 + position % (VOCABULARY - 1);
  }

  /** Steps that the engine has done. */
  long steps() {
    return steps.get();
  }

  /** When the engine was done with its last step, by System.nanoTime. */
  long stepEndNanos() {
    return stepEndNanos.get();
  }

  @Override
  public List<ModelEntry> entries() {
    return List.of(new ModelEntry(NAME, ModelEntry.State.READY, "", Optional.of(served)));
  }

  @Override
  public ServedModel require(String name) {
    if (name.isEmpty() || name.equals(NAME)) {
      return served;
    }
    throw new ServingException(
        ErrorReason.MODEL_NOT_FOUND, "model: " + name + " (expected: " + NAME + ")");
  }

  @Override
  public void close() {
    loop.close();
  }
}
