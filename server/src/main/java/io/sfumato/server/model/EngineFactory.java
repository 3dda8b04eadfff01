package io.sfumato.server.model;

import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.LoadProgress;
import java.nio.file.Path;
import java.util.Optional;

/** Opens engines. Thread-safe. */
@FunctionalInterface
public interface EngineFactory {

  /**
   * Loads a model; takes as long as its weights take to read.
   *
   * @throws io.sfumato.engine.EngineException when the model cannot be loaded, with the reason
   */
  DenoiseEngine open(EngineOptions options);

  /**
   * How far an {@link #open} on another thread has come with the weights of that directory; empty
   * while none reads them, and where nobody knows.
   */
  default Optional<LoadProgress> progress(Path modelDirectory) {
    return Optional.empty();
  }
}
