package io.sfumato.server.model;

import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.text.TextCodec;
import java.util.List;

/**
 * A served model with what has to be closed in the end. Thread-safe.
 *
 * @param loop runs and owns the engine
 * @param warnings what an operator should know about the model's files
 */
public record LoadedModel(ServedModel served, EngineLoop loop, List<String> warnings)
    implements AutoCloseable {

  /** Ends its sessions, its engine thread, its engine and its tokenizer. */
  @Override
  public void close() {
    loop.close();
    served.text().ifPresent(LoadedModel::closeText);
  }

  private static void closeText(TextCodec codec) {
    if (codec instanceof AutoCloseable closeable) {
      try {
        closeable.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
