package io.sfumato.server.app;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ModelSource;
import java.nio.file.Files;
import java.nio.file.Path;

/** Finds the model that comes with Sfumato. Stateless and thread-safe. */
public final class EmbeddedModel {

  static final String NAME = "sfumato-tales";

  private static final String HOME = "sfumato.home";

  private EmbeddedModel() {}

  /**
   * The model in {@code models/default} of the installation, which the launcher names by {@code
   * -Dsfumato.home}; the working directory otherwise.
   *
   * @throws ServingException INVALID_FIELD when it is not there
   */
  public static ModelSource source() {
    Path home = Path.of(System.getProperty(HOME, ""));
    Path directory = home.resolve("models").resolve("default");
    if (!Files.isRegularFile(directory.resolve("config.json"))) {
      throw new ServingException(
          ErrorReason.INVALID_FIELD,
          HOME
              + ": "
              + home.toAbsolutePath()
              + " (expected: a directory with models/default; or name a model)");
    }
    return ModelSource.of(NAME, directory);
  }
}
