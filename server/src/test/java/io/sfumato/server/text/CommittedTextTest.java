package io.sfumato.server.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Committed text: whatever the cuts between commits, the same text comes out, and nothing of a stop
 * text.
 */
class CommittedTextTest {

  private final ByteCodec codec = new ByteCodec();

  private CommittedText committed(String... stopTexts) {
    return new CommittedText(codec, new StopMatcher(List.of(stopTexts)));
  }

  @Test
  void holdsBackAnOpenCodePoint() {
    CommittedText text = committed();
    assertThat(text.append(new int[] {'a', 0xe2, 0x82})).isEqualTo("a");
    assertThat(text.append(new int[] {0xac, 'b'})).isEqualTo("€b");
    assertThat(text.finish()).isEmpty();
    assertThat(text.text()).isEqualTo("a€b");
  }

  @Test
  void replacesWhatStaysOpen() {
    CommittedText text = committed();
    assertThat(text.append(new int[] {'a', 0xe2, 0x82})).isEqualTo("a");
    assertThat(text.finish()).isEqualTo("\uFFFD");
    assertThat(text.text()).isEqualTo("a\uFFFD");
  }

  @Test
  void stopsBeforeAStopTextThatCrossesCommits() {
    CommittedText text = committed("END", "never");
    assertThat(text.append(codec.encode("one EN"))).isEqualTo("one ");
    assertThat(text.append(codec.encode("D two"))).isEmpty();
    assertThat(text.stopped()).isTrue();
    assertThat(text.tokenCount()).isEqualTo(4);
    assertThat(text.append(codec.encode("three"))).isEmpty();
    assertThat(text.finish()).isEmpty();
    assertThat(text.text()).isEqualTo("one ");
  }

  @Test
  void releasesWhatTurnsOutNotToBeAStopText() {
    CommittedText text = committed("END");
    assertThat(text.append(codec.encode("one E"))).isEqualTo("one ");
    assertThat(text.append(codec.encode("Ex"))).isEqualTo("EEx");
    assertThat(text.append(codec.encode("EN"))).isEmpty();
    assertThat(text.finish()).isEqualTo("EN");
    assertThat(text.stopped()).isFalse();
  }

  @Test
  void theStopTextThatIsCompleteFirstWins() {
    for (int cut = 0; cut <= 6; cut++) {
      CommittedText text = committed("cd", "bcde", "bcd");
      String first = text.append(codec.encode("abcdef".substring(0, cut)));
      assertThat(first + text.append(codec.encode("abcdef".substring(cut)))).isEqualTo("a");
      assertThat(text.tokenCount()).isEqualTo(1);
    }
  }

  @Test
  void refusesAnEmptyStopText() {
    assertThatThrownBy(() -> committed(""))
        .hasMessage("stop_texts: \"\" (expected: 1 character or more)");
  }

  @Test
  void cutsDoNotMatter() {
    Random random = new Random(21);
    String[] pieces = {"a", "b", "ab", "€", "😀", "é", "aab"};
    for (int round = 0; round < 5_000; round++) {
      StringBuilder all = new StringBuilder();
      for (int index = random.nextInt(10); index > 0; index--) {
        all.append(pieces[random.nextInt(pieces.length)]);
      }
      List<String> stops = random.nextBoolean() ? List.of() : List.of("aab€", "b😀a");
      int[] tokens = codec.encode(all.toString());

      CommittedText text = new CommittedText(codec, new StopMatcher(stops));
      List<String> commits = new ArrayList<>();
      int next = 0;
      while (next < tokens.length) {
        int end = Math.min(tokens.length, next + 1 + random.nextInt(4));
        commits.add(text.append(Arrays.copyOfRange(tokens, next, end)));
        next = end;
      }
      commits.add(text.finish());

      String expected = all.toString();
      for (String stop : stops) {
        int index = all.indexOf(stop);
        expected = index >= 0 && index < expected.length() ? all.substring(0, index) : expected;
      }
      assertThat(String.join("", commits)).isEqualTo(expected).isEqualTo(text.text());
      assertThat(text.tokenCount()).isEqualTo(expected.getBytes(UTF_8).length);
    }
  }
}
