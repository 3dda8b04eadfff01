package io.sfumato.server.app.terminal;

import static io.sfumato.v1.TokenState.TOKEN_STATE_COMMITTED;
import static io.sfumato.v1.TokenState.TOKEN_STATE_PROVISIONAL;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.terminal.impl.ExternalTerminal;
import org.junit.jupiter.api.Test;

class TerminalDisplayTest {

  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  @Test
  void drawsInPlaceAndOnlyWhatHasChanged() throws IOException {
    try (Terminal terminal = terminal(60, 20)) {
      TerminalDisplay display = new TerminalDisplay(terminal, Optional.empty());
      CanvasView view =
          Canvases.view(
              Canvases.span(0, TOKEN_STATE_COMMITTED, 255, "One"), Canvases.undecided(1, 2));
      display.show(view, progress(1, 1, 3));
      assertThat(output())
          .contains("Title")
          .contains("about")
          .contains("One")
          .contains("1/3 tokens")
          .doesNotContain("\u001b[6A");
      written.reset();
      view.apply(
          Canvases.delta(1, 2, Canvases.span(1, TOKEN_STATE_COMMITTED, 255, " two", " three")));
      display.show(view, progress(2, 3, 3));
      assertThat(output())
          .contains("\u001b[6A")
          .contains("One two three")
          .contains("3/3 tokens")
          .doesNotContain("Title");
    }
  }

  @Test
  void aCanvasThatIsHigherThanTheTerminalIsShownWhereItIsOpen() throws IOException {
    try (Terminal terminal = terminal(40, 10)) {
      TerminalDisplay display = new TerminalDisplay(terminal, Optional.empty());
      String[] words = new String[100];
      Arrays.setAll(words, index -> " word" + index);
      CanvasView view =
          Canvases.view(
              Canvases.span(0, TOKEN_STATE_COMMITTED, 255, words), Canvases.undecided(100, 5));
      display.show(view, progress(1, 100, 105));
      assertThat(output()).contains("word99").doesNotContain("word0 ").contains("░");
      assertThat(output().chars().filter(letter -> letter == 10).count()).isLessThanOrEqualTo(10);
    }
  }

  @Test
  void keysAreShownBelowTheCanvasUntilTheRunIsOver() throws IOException {
    try (Terminal terminal = terminal(90, 20)) {
      KeyControls controls = new KeyControls();
      TerminalDisplay display = new TerminalDisplay(terminal, Optional.of(controls));
      CanvasView view =
          Canvases.view(Canvases.span(0, TOKEN_STATE_PROVISIONAL, 255, "One", " two"));
      controls.press(Key.RIGHT, view);
      controls.press(Key.RIGHT, view);
      display.show(view, progress(1, 2, 2));
      assertThat(output())
          .contains("space pause")
          .contains("1   p pin")
          .containsPattern("\u001b\\[[0-9;]*7m two");
      written.reset();
      controls.end();
      display.show(view, progress(1, 2, 2));
      assertThat(output()).contains("\u001b[J").doesNotContain("pause");
    }
  }

  private Terminal terminal(int columns, int rows) throws IOException {
    Terminal terminal =
        new ExternalTerminal(
            "test",
            "xterm-256color",
            new ByteArrayInputStream(new byte[0]),
            written,
            StandardCharsets.UTF_8);
    terminal.setSize(Size.of(columns, rows));
    return terminal;
  }

  private String output() {
    return written.toString(StandardCharsets.UTF_8);
  }

  private static RunProgress progress(int steps, int decided, int length) {
    return new RunProgress("Title", "about", steps, decided, length, 0.5);
  }
}
