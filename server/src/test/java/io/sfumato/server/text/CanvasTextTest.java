package io.sfumato.server.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Text per position: whole code points at the first of their positions. */
class CanvasTextTest {

  private final ByteCodec codec = new ByteCodec();
  private final CanvasText canvasText = new CanvasText(codec);

  private String[] texts(int[] tokens) {
    String[] texts = new String[tokens.length];
    canvasText.write(tokens, 0, tokens.length, texts);
    return texts;
  }

  @Test
  void splitCodePointStandsAtItsFirstPosition() {
    assertThat(texts(codec.encode("a€b"))).containsExactly("a", "€", "", "", "b");
  }

  @Test
  void incompleteCodePointIsReplaced() {
    assertThat(texts(new int[] {0xe2, 0x82})).containsExactly("\uFFFD", "");
    assertThat(texts(new int[] {0xac, 'x'})).containsExactly("\uFFFD", "x");
  }

  @Test
  void specialTokensHaveNoText() {
    assertThat(texts(new int[] {'a', ByteCodec.MASK, 'b'})).containsExactly("a", "", "b");
  }

  @Test
  void unknownTokensHaveNoText() {
    assertThat(texts(new int[] {-1, 0xe2, 5000})).containsExactly("", "\uFFFD", "");
  }

  @Test
  void joinedTextsAreTheDecodedBytes() {
    Random random = new Random(20);
    for (int round = 0; round < 20_000; round++) {
      int[] tokens = new int[random.nextInt(12)];
      byte[] bytes = new byte[tokens.length];
      for (int index = 0; index < tokens.length; index++) {
        tokens[index] = MIXED[random.nextInt(MIXED.length)];
        bytes[index] = (byte) tokens[index];
      }
      assertThat(String.join("", texts(tokens))).isEqualTo(new String(bytes, UTF_8));
    }
  }

  @Test
  void aSurrogateIsNoCodePoint() {
    assertThat(texts(new int[] {0xed, 0xa0, 0x80})).containsExactly("\uFFFD", "\uFFFD", "\uFFFD");
    CommittedText committed = new CommittedText(codec, new StopMatcher(List.of()));
    assertThat(committed.append(new int[] {0xed, 0xa0, 0x80})).isEqualTo("\uFFFD\uFFFD\uFFFD");
  }

  /** Bytes around which UTF-8 has rules. */
  private static final int[] MIXED = {
    0x41, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xdf, 0xe0, 0xe2, 0xee, 0xef, 0xf0, 0xf1,
    0xf4, 0xf5, 0xff
  };
}
