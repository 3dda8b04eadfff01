package io.sfumato.engine;

/**
 * An engine without a model: candidates come from a script. For tests and for measuring everything
 * around the model.
 *
 * <p>Confined to one thread at a time.
 */
public final class ScriptedEngine implements DenoiseEngine {

  /** Writes the candidates of a step. */
  @FunctionalInterface
  public interface Script {
    /**
     * @param run number of the step, from 1
     * @param batch the step; its tokens and rows may be read, not changed
     * @param candidates to be filled for every row of the batch
     */
    void propose(long run, StepBatch batch, Candidates candidates);

    /** The slot's session is over. */
    default void resetSlot(int slot) {}
  }

  private final EngineInfo info;
  private final EngineLimits limits;
  private final Script script;
  private final Candidates candidates;
  private long runs;
  private boolean closed;

  public ScriptedEngine(EngineInfo info, EngineLimits limits, Script script) {
    this.info = info;
    this.limits = limits;
    this.script = script;
    candidates = new Candidates(limits);
  }

  @Override
  public EngineInfo info() {
    return info;
  }

  @Override
  public EngineLimits limits() {
    return limits;
  }

  @Override
  public Candidates run(StepBatch batch) {
    if (closed) {
      throw new EngineException(EngineStatus.INTERNAL, "engine: closed (expected: open)");
    }
    runs++;
    script.propose(runs, batch, candidates);
    return candidates;
  }

  @Override
  public void resetSlot(int slot) {
    if (slot < 0 || slot >= limits.slots()) {
      throw new EngineException(
          EngineStatus.INVALID_ARGUMENT,
          "slot: " + slot + " (expected: 0.." + (limits.slots() - 1) + ")");
    }
    script.resetSlot(slot);
  }

  /** Steps run so far. */
  public long runs() {
    return runs;
  }

  @Override
  public void close() {
    closed = true;
  }
}
