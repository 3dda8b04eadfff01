package io.sfumato.server.model;

import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.LoadProgress;
import io.sfumato.engine.NativeEngine;
import java.nio.file.Path;
import java.util.Optional;

/** Opens the engines of the native core. Thread-safe. */
public final class NativeEngines implements EngineFactory {

  @Override
  public DenoiseEngine open(EngineOptions options) {
    return NativeEngine.open(options);
  }

  @Override
  public Optional<LoadProgress> progress(Path modelDirectory) {
    return NativeEngine.loadProgress(modelDirectory);
  }
}
