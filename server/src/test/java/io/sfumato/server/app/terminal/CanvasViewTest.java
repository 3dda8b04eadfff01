package io.sfumato.server.app.terminal;

import static io.sfumato.v1.TokenState.TOKEN_STATE_COMMITTED;
import static io.sfumato.v1.TokenState.TOKEN_STATE_PINNED;
import static io.sfumato.v1.TokenState.TOKEN_STATE_PROVISIONAL;
import static io.sfumato.v1.TokenState.TOKEN_STATE_UNDECIDED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.v1.Span;
import org.junit.jupiter.api.Test;

class CanvasViewTest {

  @Test
  void followsKeyframesAndDeltas() {
    CanvasView view =
        Canvases.view(
            Canvases.span(0, TOKEN_STATE_PROVISIONAL, 128, "An", " owl"), Canvases.undecided(2, 2));
    assertThat(view.length()).isEqualTo(4);
    assertThat(view.text()).isEqualTo("An owl");
    assertThat(view.confidence(1)).isEqualTo(128);
    view.apply(Canvases.delta(1, 2, Canvases.span(1, TOKEN_STATE_COMMITTED, 255, " fox", " ran")));
    assertThat(view.text()).isEqualTo("An fox ran");
    assertThat(view.state(3)).isEqualTo(TOKEN_STATE_UNDECIDED);
    assertThat(view.count(TOKEN_STATE_COMMITTED)).isEqualTo(2);
    assertThat(view.frame()).isEqualTo(2);
  }

  @Test
  void refusesChangesOfAnotherCanvas() {
    CanvasView view = Canvases.view(Canvases.undecided(0, 4));
    assertThatThrownBy(() -> view.apply(Canvases.delta(2, 3)))
        .hasMessage("basis_frame: 2 (expected: 1)");
    Span beyond = Canvases.span(3, TOKEN_STATE_PROVISIONAL, 1, "a", "b");
    assertThatThrownBy(() -> view.apply(Canvases.delta(1, 2, beyond)))
        .hasMessage("span: 3 + 2 (expected: within 4)");
  }

  @Test
  void tokensWithoutTextsShowTheirNumbers() {
    Span span =
        Span.newBuilder()
            .setStart(0)
            .setLength(2)
            .setState(TOKEN_STATE_PROVISIONAL)
            .addTokenIds(7)
            .addTokenIds(12)
            .build();
    assertThat(Canvases.view(span).text()).isEqualTo(" 7 12");
  }

  @Test
  void theClientsOwnTokensStayItsOwnWhenTheyAreCommitted() {
    CanvasView view =
        Canvases.view(
            Canvases.span(0, TOKEN_STATE_PINNED, 0, "a"),
            Canvases.span(1, TOKEN_STATE_PROVISIONAL, 9, "b"));
    view.apply(Canvases.delta(1, 2, Canvases.span(0, TOKEN_STATE_COMMITTED, 255, "a", "b")));
    assertThat(view.isClients(0)).isTrue();
    assertThat(view.isClients(1)).isFalse();
  }

  @Test
  void aCopyStaysAsItIs() {
    CanvasView view = Canvases.view(Canvases.undecided(0, 2));
    CanvasView copy = view.copy();
    view.apply(Canvases.delta(1, 2, Canvases.span(0, TOKEN_STATE_PROVISIONAL, 9, "x", "y")));
    assertThat(copy.text()).isEmpty();
    view.cut(1);
    assertThat(view.text()).isEqualTo("x");
    assertThat(copy.length()).isEqualTo(2);
  }
}
