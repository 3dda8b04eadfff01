package io.sfumato.server.app.terminal;

import static io.sfumato.v1.TokenState.TOKEN_STATE_COMMITTED;
import static io.sfumato.v1.TokenState.TOKEN_STATE_PINNED;
import static io.sfumato.v1.TokenState.TOKEN_STATE_PROVISIONAL;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.jline.utils.AttributedString;
import org.junit.jupiter.api.Test;

class CanvasLayoutTest {

  @Test
  void breaksAtSpaces() {
    CanvasView view =
        Canvases.view(
            Canvases.span(
                0, TOKEN_STATE_COMMITTED, 255, "The", " painter", " lets", " forms", " emerge"));
    assertThat(lines(view, 12)).containsExactly("The painter", "lets forms", "emerge");
  }

  @Test
  void breaksLongWordsAndKeepsLineFeeds() {
    CanvasView view =
        Canvases.view(Canvases.span(0, TOKEN_STATE_COMMITTED, 255, "abcdefghijklmno", "\n", "\nx"));
    assertThat(lines(view, 8)).containsExactly("abcdefgh", "ijklmno", "", "x");
  }

  @Test
  void looksFollowStateAndConfidence() {
    CanvasView view =
        Canvases.view(
            Canvases.span(0, TOKEN_STATE_PINNED, 0, "a"),
            Canvases.span(1, TOKEN_STATE_PROVISIONAL, 10, "b"),
            Canvases.span(2, TOKEN_STATE_PROVISIONAL, 250, "c"),
            Canvases.undecided(3, 1),
            Canvases.span(4, TOKEN_STATE_COMMITTED, 255, "d"));
    assertThat(CanvasLayout.lines(view, Selection.NONE, 40))
        .containsExactly(
            List.of(
                new CanvasLayout.Piece("a", Look.PINNED, false),
                new CanvasLayout.Piece("b", Look.DOUBTFUL, false),
                new CanvasLayout.Piece("c", Look.CERTAIN, false),
                new CanvasLayout.Piece(" ░░░░", Look.UNDECIDED, false),
                new CanvasLayout.Piece("d", Look.COMMITTED, false)));
  }

  @Test
  void whatIsSelectedStandsOutEvenWithoutText() {
    CanvasView view =
        Canvases.view(Canvases.span(0, TOKEN_STATE_COMMITTED, 255, "One", " two", "", " three"));
    assertThat(CanvasLayout.lines(view, new Selection(2, 1), 40))
        .containsExactly(
            List.of(
                new CanvasLayout.Piece("One", Look.COMMITTED, false),
                new CanvasLayout.Piece(" two·", Look.COMMITTED, true),
                new CanvasLayout.Piece(" three", Look.COMMITTED, false)));
  }

  @Test
  void controlCharactersNeverReachTheTerminal() {
    CanvasView view =
        Canvases.view(
            Canvases.span(0, TOKEN_STATE_COMMITTED, 255, "a\u001b[31mb\u0007\u009b2J\u202ec\rd"));
    assertThat(lines(view, 40)).containsExactly("a[31mb2Jcd");
  }

  @Test
  void noLineIsWiderThanAsked() {
    Random random = new Random(2);
    String[] words = {" a", " longer", "🙂", " 日本語", "\n", ".", " incomprehensibilities"};
    for (int round = 0; round < 300; round++) {
      String[] texts = new String[1 + random.nextInt(40)];
      for (int index = 0; index < texts.length; index++) {
        texts[index] = words[random.nextInt(words.length)];
      }
      int width = 8 + random.nextInt(30);
      CanvasView view = Canvases.view(Canvases.span(0, TOKEN_STATE_PROVISIONAL, 100, texts));
      List<String> lines = lines(view, width);
      assertThat(lines).allMatch(line -> new AttributedString(line).columnLength() <= width);
      assertThat(String.join("", lines).replace(" ", ""))
          .isEqualTo(String.join("", texts).replace(" ", "").replace("\n", ""));
    }
  }

  private static List<String> lines(CanvasView view, int width) {
    return CanvasLayout.lines(view, Selection.NONE, width).stream()
        .map(line -> String.join("", line.stream().map(CanvasLayout.Piece::text).toList()))
        .toList();
  }
}
