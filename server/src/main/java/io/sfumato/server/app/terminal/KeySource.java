package io.sfumato.server.app.terminal;

import java.util.function.Consumer;

/** Where keys come from. Thread-safe. */
@FunctionalInterface
public interface KeySource {

  /** Keys that are being read; none comes after it is closed. */
  interface Keyboard extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Begins to read keys.
   *
   * @param pressed called on a thread of the source
   */
  Keyboard open(Consumer<Key> pressed);
}
