package io.sfumato.server.app.terminal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class KeyDecoderTest {

  private final KeyDecoder decoder = new KeyDecoder();

  @Test
  void lettersAreKeys() {
    assertThat(keys(" spuobafqO[]"))
        .containsExactly(
            Key.PAUSE,
            Key.STEP,
            Key.PIN,
            Key.UNPIN,
            Key.REOPEN_HALF,
            Key.BLANK,
            Key.ALTERNATIVES,
            Key.FINISH,
            Key.CANCEL,
            Key.REOPEN,
            Key.EXTEND_LEFT,
            Key.EXTEND_RIGHT);
    assertThat(keys("\u0003")).containsExactly(Key.CANCEL);
    assertThat(keys("xyz\r\n7é")).isEmpty();
  }

  @Test
  void arrowsComeInSeveralForms() {
    assertThat(keys("\u001b[D\u001bOC\u001b[1;2D\u001b[1;2C\u001b[1;6C\u001b[1;5D\u001b[A\u001b[B"))
        .containsExactly(
            Key.LEFT,
            Key.RIGHT,
            Key.EXTEND_LEFT,
            Key.EXTEND_RIGHT,
            Key.EXTEND_RIGHT,
            Key.LEFT,
            Key.FAR_LEFT,
            Key.FAR_RIGHT);
  }

  @Test
  void noPartOfAnotherSequenceIsAKey() {
    assertThat(keys("\u001b[5~\u001b[200~\u001b[1;5p\u001bOs\u001b[?25u\u001bq\u001b\u001b[Hp"))
        .containsExactly(Key.PIN);
    assertThat(keys("\u001b[999999999999999999Dp")).containsExactly(Key.LEFT, Key.PIN);
  }

  @Test
  void afterAPauseAnEscapeIsOver() {
    assertThat(keys("\u001b")).isEmpty();
    decoder.pause();
    assertThat(keys("[")).containsExactly(Key.EXTEND_LEFT);
  }

  private List<Key> keys(String text) {
    return text.chars()
        .mapToObj(letter -> decoder.accept((char) letter))
        .flatMap(Optional::stream)
        .toList();
  }
}
