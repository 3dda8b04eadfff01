package io.sfumato.server.app.bench.policies;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.ProductType;
import io.sfumato.server.app.EmbeddedModel;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.LoadedModel;
import io.sfumato.server.model.ModelLoader;
import io.sfumato.server.model.ModelSource;
import java.nio.file.Path;
import java.time.Clock;
import picocli.CommandLine.Option;

/**
 * Options that name a model for one session at a time, without a server. Confined to the main
 * thread.
 */
final class LocalModel {

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description = "A model directory (default: the embedded model).")
  private Path directory;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the engine (default: one per core).")
  private int threads;

  /**
   * Loads the model with one slot.
   *
   * @throws io.sfumato.server.error.ServingException MODEL_CAPABILITY when it cannot be loaded
   */
  LoadedModel load(EngineFactory engines) throws InterruptedException {
    Path path = directory == null ? EmbeddedModel.source().directory() : directory;
    // One place in the queue: a session may come before the loop has let go of the one before.
    ModelSource source =
        new ModelSource(
            "bench", path, threads, ProductType.AUTO, DeviceChoice.CPU, 1, 0, 1, 0, -1, 0);
    return new ModelLoader(engines, System::nanoTime, Clock.systemUTC(), "bench-")
        .load(source, () -> {});
  }
}
