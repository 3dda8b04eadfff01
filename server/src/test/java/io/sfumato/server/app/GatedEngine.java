package io.sfumato.server.app;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.StepBatch;
import java.util.concurrent.CountDownLatch;

/**
 * An engine that runs some steps and then waits until it may run the others. Confined to one thread
 * at a time.
 */
final class GatedEngine implements DenoiseEngine {

  private final DenoiseEngine engine;
  private final CountDownLatch gate;
  private int free;

  /**
   * @param free steps that need not wait
   */
  GatedEngine(DenoiseEngine engine, int free, CountDownLatch gate) {
    this.engine = engine;
    this.free = free;
    this.gate = gate;
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
    if (free-- <= 0) {
      try {
        gate.await();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
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
