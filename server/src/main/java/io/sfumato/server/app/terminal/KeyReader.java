package io.sfumato.server.app.terminal;

import java.io.IOException;
import java.util.function.Consumer;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.utils.NonBlockingReader;

/**
 * Reads keys from a terminal, on a thread of its own, until it is closed. The terminal is in raw
 * mode so long: keys come at once, are not echoed, and Ctrl-C is a key. Thread-safe.
 *
 * <p>When the process is ended from outside, JLine's own hook puts the terminal back.
 */
public final class KeyReader implements KeySource.Keyboard {

  private static final long POLL_MILLIS = 100;

  private final Terminal terminal;
  private final Attributes before;
  private final Consumer<Key> pressed;
  private final Thread thread;
  private volatile boolean closed;

  private KeyReader(Terminal terminal, Consumer<Key> pressed) {
    this.terminal = terminal;
    this.pressed = pressed;
    before = terminal.enterRawMode();
    Attributes raw = terminal.getAttributes();
    raw.setLocalFlag(Attributes.LocalFlag.ISIG, false);
    terminal.setAttributes(raw);
    thread = Thread.ofPlatform().daemon().name("keys").unstarted(this::read);
  }

  /** Puts the terminal into raw mode and begins to read; see {@link KeySource#open}. */
  public static KeyReader open(Terminal terminal, Consumer<Key> pressed) {
    KeyReader reader = new KeyReader(terminal, pressed);
    reader.thread.start();
    return reader;
  }

  private void read() {
    NonBlockingReader reader = terminal.reader();
    KeyDecoder decoder = new KeyDecoder();
    try {
      while (!closed) {
        int letter = reader.read(POLL_MILLIS);
        if (letter == NonBlockingReader.EOF) {
          return;
        }
        if (letter == NonBlockingReader.READ_EXPIRED) {
          decoder.pause();
        } else {
          decoder.accept((char) letter).ifPresent(pressed);
        }
      }
      while (reader.peek(1) >= 0) {
        reader.read(); // what came too late is not for the shell
      }
    } catch (IOException e) {
      closed = true; // the terminal is gone, and the person with it
    }
  }

  @Override
  public void close() {
    closed = true;
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    terminal.setAttributes(before);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
