package io.sfumato.server.app;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.ModelSource;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Options that say which server a client command talks to. Confined to the main thread. */
public final class ServerChoice {

  @ArgGroup private Where where = new Where();

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "The model (default: the server's first).")
  private String model = "";

  @Mixin private EngineChoice engine;

  /** At most one of these. */
  static final class Where {
    @Option(
        names = "--address",
        paramLabel = "HOST:PORT",
        description = "A running server (default: one of its own, with the embedded model).")
    private String address;

    @Option(
        names = "--directory",
        paramLabel = "DIR",
        description = "A model directory, for a server of its own.")
    private Path directory;
  }

  /** Connects to the chosen server, or starts one of its own and waits for its model. */
  public Link open(EngineFactory engines) throws IOException, InterruptedException {
    Link link = loading(engines);
    try {
      link.awaitReady();
    } catch (ServingException | InterruptedException failure) {
      link.close();
      throw failure;
    }
    return link;
  }

  /** As {@link #open}, while the model of a server of its own is still loading. */
  Link loading(EngineFactory engines) throws IOException {
    if (where.address != null) {
      engine.givenDevice().ifPresent(device -> refuse("--device", device));
      engine.givenProducts().ifPresent(products -> refuse("--products", products));
      return Link.to(where.address);
    }
    ModelSource source =
        where.directory == null
            ? EmbeddedModel.source()
            : ModelSource.of(model.isEmpty() ? "model" : model, where.directory);
    return Link.loading(source.computedBy(engine.products(), engine.device()), engines);
  }

  private static void refuse(String option, Object value) {
    throw new ServingException(
        ErrorReason.INVALID_FIELD,
        option + ": " + value + " (expected: nothing beside --address, whose server has chosen)");
  }

  /** Empty for the server's first. */
  public String model() {
    return model;
  }
}
