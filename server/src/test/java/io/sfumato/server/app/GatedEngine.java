package io.sfumato.server.app;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.StepBatch;
import java.util.concurrent.Semaphore;

/** An engine that needs a permit for each step. Confined to one thread at a time. */
final class GatedEngine implements DenoiseEngine {

  private final DenoiseEngine engine;
  private final Semaphore steps;

  GatedEngine(DenoiseEngine engine, Semaphore steps) {
    this.engine = engine;
    this.steps = steps;
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
    try {
      steps.acquire();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    return engine.run(batch);
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
