package io.sfumato.server.app.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jline.terminal.Attributes;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.ExternalTerminal;
import org.junit.jupiter.api.Test;

class KeyReaderTest {

  @Test
  void readsKeysInRawModeAndPutsTheTerminalBack() throws IOException, InterruptedException {
    PipedOutputStream typed = new PipedOutputStream();
    ByteArrayOutputStream screen = new ByteArrayOutputStream();
    try (Terminal terminal =
        new ExternalTerminal(
            "test",
            "xterm-256color",
            new PipedInputStream(typed),
            screen,
            StandardCharsets.UTF_8)) {
      String before = terminal.getAttributes().toString();
      BlockingQueue<Key> keys = new LinkedBlockingQueue<>();
      KeySource.Keyboard keyboard = KeyReader.open(terminal, keys::add);
      try {
        assertThat(terminal.getAttributes().getLocalFlag(Attributes.LocalFlag.ICANON)).isFalse();
        assertThat(terminal.getAttributes().getLocalFlag(Attributes.LocalFlag.ISIG)).isFalse();
        typed.write(" \u001b[C\u0003".getBytes(StandardCharsets.UTF_8));
        typed.flush();
        assertThat(keys.take()).isEqualTo(Key.PAUSE);
        assertThat(keys.take()).isEqualTo(Key.RIGHT);
        assertThat(keys.take()).isEqualTo(Key.CANCEL);
      } finally {
        keyboard.close();
      }
      assertThat(terminal.getAttributes().toString()).isEqualTo(before);
      assertThat(screen.toString(StandardCharsets.UTF_8)).isEmpty();
    }
  }
}
