package io.sfumato.server.model;

import java.util.Optional;

/** What becomes of one configured model. Guarded by the registry. */
final class ModelLife {

  private final ModelSource source;
  private ModelEntry entry;

  /** The one that runs, or whose engine has failed and is not closed yet. */
  private LoadedModel model;

  /** Closed but for its texts, which calls that end may still be writing. */
  private LoadedModel retired;

  private boolean lost;
  private int attempts;
  private long readyNanos;

  ModelLife(ModelSource source) {
    this.source = source;
    set(ModelEntry.State.LOADING, "waiting to be loaded");
  }

  ModelSource source() {
    return source;
  }

  ModelEntry entry() {
    return entry;
  }

  Optional<LoadedModel> model() {
    return Optional.ofNullable(model);
  }

  /** LOADING or FAILED. */
  void set(ModelEntry.State state, String message) {
    entry = new ModelEntry(source.name(), state, message, Optional.empty());
  }

  /** Loading begins; its engine is a new one. */
  void begin() {
    lost = false;
    set(ModelEntry.State.LOADING, "loading " + source.directory());
  }

  /**
   * Its engine runs, unless it has failed already.
   *
   * @return whether the model is READY
   */
  boolean loaded(LoadedModel loaded, long nowNanos) {
    model = loaded;
    readyNanos = nowNanos;
    if (!lost) {
      entry =
          new ModelEntry(source.name(), ModelEntry.State.READY, "", Optional.of(loaded.served()));
    }
    return !lost;
  }

  /**
   * Its engine has failed, or it could not be opened again.
   *
   * @return nanoseconds until the next attempt; negative for none
   */
  long failed(String what, ReopenRules rules, long nowNanos) {
    lost = true;
    if (model != null && nowNanos - readyNanos >= rules.steady().toNanos()) {
      attempts = 0;
    }
    if (attempts == rules.delays().size()) {
      set(ModelEntry.State.FAILED, what + ", after " + attempts + " attempts to open it again");
      return -1;
    }
    long delay = rules.delays().get(attempts).toNanos();
    attempts++;
    set(
        ModelEntry.State.LOADING,
        what
            + "; opened again in "
            + Math.ceilDiv(delay, 1_000_000_000L)
            + " s, attempt "
            + attempts
            + " of "
            + rules.delays().size());
    return delay;
  }

  /**
   * Takes away the model whose engine has failed.
   *
   * @return what is to be closed: the one before it whole, of itself the loop
   */
  Optional<LoadedModel> retire() {
    Optional<LoadedModel> before = Optional.ofNullable(retired);
    retired = model;
    model = null;
    return before;
  }

  Optional<LoadedModel> retired() {
    return Optional.ofNullable(retired);
  }
}
