package io.sfumato.engine;

/**
 * Runs ragged denoising steps of one model on one device.
 *
 * <p>Confined to one thread at a time, usually the {@code engine-<device>} thread. The returned
 * {@link Candidates} are overwritten by the next run.
 */
public interface DenoiseEngine extends AutoCloseable {

  /** Facts about the loaded model; never changes. */
  EngineInfo info();

  /** What one step may hold; never changes. */
  EngineLimits limits();

  /**
   * Runs one step.
   *
   * @return one candidate for each requested row, in the order of the batch; valid until the next
   *     call
   * @throws EngineException INVALID_ARGUMENT when the batch breaks a limit or a range (nothing was
   *     done), FAILED_PRECONDITION when the family cannot do it, INTERNAL when the device failed
   *     (close the engine)
   */
  Candidates run(StepBatch batch);

  /** Forgets what the model keeps for the slot besides its pages. */
  void resetSlot(int slot);

  @Override
  void close();
}
