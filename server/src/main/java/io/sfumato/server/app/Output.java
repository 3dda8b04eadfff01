package io.sfumato.server.app;

import io.sfumato.server.app.terminal.Key;
import io.sfumato.server.app.terminal.KeyControls;
import io.sfumato.server.app.terminal.KeyReader;
import io.sfumato.server.app.terminal.KeySource;
import io.sfumato.server.app.terminal.LineDisplay;
import io.sfumato.server.app.terminal.RunDisplay;
import io.sfumato.server.app.terminal.TerminalDisplay;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Consumer;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStyle;

/**
 * Standard output, as a terminal or as a pipe. It is a terminal only if standard input is one, too.
 * Confined to one thread at a time.
 */
final class Output implements AutoCloseable {

  static final AttributedStyle DIM = AttributedStyle.DEFAULT.foreground(244);
  static final AttributedStyle STRONG = AttributedStyle.BOLD.foreground(222);

  private final Terminal terminal;
  private final PrintStream out;

  private Output(Terminal terminal) {
    this.terminal = terminal;
    out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
  }

  static Output open() throws IOException {
    Terminal terminal =
        TerminalBuilder.builder()
            .system(true)
            .systemOutput(TerminalBuilder.SystemOutput.SysOut)
            .dumb(true)
            .encoding(StandardCharsets.UTF_8)
            .build();
    return new Output(terminal);
  }

  /** Whether a person may be looking at it. */
  boolean isTerminal() {
    return !terminal.getType().startsWith(Terminal.TYPE_DUMB);
  }

  /** In place on a terminal, else one line per frame. */
  RunDisplay display() {
    return display(Optional.empty());
  }

  /**
   * As {@link #display()}.
   *
   * @param controls what the keys do, to be shown with the canvas
   */
  RunDisplay display(Optional<KeyControls> controls) {
    return isTerminal() ? new TerminalDisplay(terminal, controls) : new LineDisplay(out);
  }

  /** Reads keys; only on a terminal. */
  KeySource.Keyboard keys(Consumer<Key> pressed) {
    return KeyReader.open(terminal, pressed);
  }

  void line(String text) {
    line(AttributedStyle.DEFAULT, text);
  }

  void line(AttributedStyle style, String text) {
    if (isTerminal()) {
      terminal.writer().println(new AttributedString(text, style).toAnsi(terminal));
      terminal.flush();
    } else {
      out.println(text);
    }
  }

  @Override
  public void close() throws IOException {
    terminal.close();
  }
}
