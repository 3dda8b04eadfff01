package io.sfumato.server.app;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.ModelEntry;
import io.sfumato.server.model.ModelSource;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** {@code sfumato serve}: runs a server until it is told to end. Lives on the main thread. */
@Command(
    name = "serve",
    description =
        "Runs a server until SIGTERM or Ctrl-C; sessions at work then commit their best guess.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {

  private static final String USUAL_FILE = "sfumato.yaml";

  private final EngineFactory engines;

  @Spec private CommandSpec spec;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "YAML (default: ./sfumato.yaml if it is there).")
  private Path file;

  @Option(
      names = "--listen",
      paramLabel = "HOST:PORT",
      description = "Where to listen (default: 127.0.0.1:7411).")
  private String listen;

  @Option(
      names = "--model",
      paramLabel = "NAME=DIR",
      description =
          "A model to serve, instead of those of the file; repeatable (default: the embedded"
              + " model).")
  private Map<String, Path> models = new LinkedHashMap<>();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of each engine (default: one per core).")
  private Integer threads;

  @Option(
      names = "--slots",
      paramLabel = "N",
      description = "Sessions each model runs at the same time (default: 16).")
  private Integer slots;

  @Mixin private EngineChoice choice;

  ServeCommand(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Logging.verbose();
    PrintWriter out = spec.commandLine().getOut();
    Server server = Server.start(configuration(), engines);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(server, out), "drain"));
    out.println("listening on port " + server.port());
    out.flush();
    List<ModelEntry> entries = server.awaitModels();
    for (ModelEntry entry : entries) {
      String state =
          entry.state() == ModelEntry.State.READY ? "ready" : "failed: " + entry.message();
      out.println("model " + entry.name() + ": " + state);
    }
    out.flush();
    if (entries.stream().noneMatch(entry -> entry.state() == ModelEntry.State.READY)) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY, "models: none ready (expected: at least one)");
    }
    server.awaitTermination();
    return 0;
  }

  /** The log may be closed by then, so this goes to standard output. */
  private static void drain(Server server, PrintWriter out) {
    out.println("draining, " + server.sessions() + " sessions");
    out.flush();
    server.close();
    out.println("ended");
    out.flush();
  }

  /** The file, with the flags written over it. */
  private ServerConfiguration configuration() {
    Path found = file;
    if (found == null && Files.exists(Path.of(USUAL_FILE))) {
      found = Path.of(USUAL_FILE);
    }
    ObjectNode root =
        found == null ? JsonNodeFactory.instance.objectNode() : ConfigurationReader.parse(found);
    Path base = found == null ? Path.of("") : found.toAbsolutePath().getParent();
    if (listen != null) {
      root.put("listen", listen);
    }
    if (!models.isEmpty()) {
      ArrayNode list = root.putArray("models");
      models.forEach((name, directory) ->
          list.addObject()
              .put("name", name)
              .put("directory", directory.toAbsolutePath().toString()));
    }
    if (!root.has("models")) {
      ModelSource embedded = EmbeddedModel.source();
      ObjectNode model = root.putArray("models").addObject();
      model
          .put("name", embedded.name())
          .put("directory", embedded.directory().toAbsolutePath().toString());
    }
    if (root.path("models") instanceof ArrayNode list) {
      list.forEach(model -> {
        if (model instanceof ObjectNode object) {
          put(object, "threads", threads);
          put(object, "slots", slots);
          choice.givenDevice().ifPresent(device -> object.put("device", device.toString()));
          choice
              .givenProducts()
              .ifPresent(
                  products -> object.put("products", products.name().toLowerCase(Locale.ROOT)));
        }
      });
    }
    return ConfigurationReader.read(root, base);
  }

  private static void put(ObjectNode model, String key, Integer value) {
    if (value != null) {
      model.put(key, value);
    }
  }
}
