package io.sfumato.server.model;

import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineOptions;

/** Opens engines. Thread-safe. */
@FunctionalInterface
public interface EngineFactory {

  /**
   * Loads a model; takes as long as its weights take to read.
   *
   * @throws io.sfumato.engine.EngineException when the model cannot be loaded, with the reason
   */
  DenoiseEngine open(EngineOptions options);
}
