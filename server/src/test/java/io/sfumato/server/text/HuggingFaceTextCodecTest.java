package io.sfumato.server.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class HuggingFaceTextCodecTest {

  private static final String TEMPLATE =
      "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] | trim }}{% endfor %}{% if"
          + " add_generation_prompt %}<|assistant|>{% endif %}";
  private static final int MASK = 0;
  private static final int USER = 3;
  private static final int ASSISTANT = 4;

  @ParameterizedTest
  @ValueSource(strings = {"byte_level", "byte_fallback", "word_piece", "unigram"})
  void encodesAsTheReferenceDoes(String name) {
    try (HuggingFaceTextCodec codec = TextFixtures.codec(name)) {
      for (JsonNode entry : TextFixtures.golden(name).path("texts")) {
        assertThat(codec.encode(entry.path("text").asString()))
            .as(entry.path("text").asString())
            .isEqualTo(TextFixtures.ids(entry.path("ids")));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"byte_level", "byte_fallback", "word_piece"})
  void specialTokensInPlainTextStayText(String name) {
    try (HuggingFaceTextCodec codec = TextFixtures.codec(name)) {
      for (JsonNode entry : TextFixtures.golden(name).path("literals")) {
        int[] ids = codec.encode(entry.path("text").asString());
        assertThat(ids)
            .as(entry.path("text").asString())
            .isEqualTo(TextFixtures.ids(entry.path("ids")));
        assertThat(IntStream.of(ids).noneMatch(codec::isSpecial)).isTrue();
      }
    }
  }

  @Test
  void literalIds() {
    try (HuggingFaceTextCodec codec = TextFixtures.codec("byte_level")) {
      assertThat(codec.encode("<|mask|>")).containsExactly(32, 96, 81, 292, 79, 96, 34);
      assertThat(codec.decode(new int[] {32, 96, 81, 292, 79, 96, 34})).isEqualTo("<|mask|>");
      assertThat(codec.decode(new int[] {USER, 32, MASK, 96, ASSISTANT})).isEqualTo("<|");
      assertThat(codec.vocabulary()).isEqualTo(420);
    }
  }

  @Test
  void refusesWhatATokenizerCannotWriteAsPlainText() {
    try (HuggingFaceTextCodec codec = TextFixtures.codec("unigram")) {
      assertThatThrownBy(() -> codec.encode("a<mask>b"))
          .isInstanceOfSatisfying(
              ServingException.class,
              e -> assertThat(e.reason()).isEqualTo(ErrorReason.MODEL_CAPABILITY))
          .hasMessageContaining("special tokens in text: 1 (expected: 0")
          .hasMessageContaining("<mask>");
    }
  }

  @Test
  void templateTokensAreSpecialAndThoseOfTheContentAreNot() {
    try (HuggingFaceTextCodec codec = chatCodec()) {
      int[] literal = codec.encode("say <|mask|> and <|endoftext|>!");
      int[] ids =
          codec.encodeChat(
              List.of(new ChatMessage("user", " say <|mask|> and <|endoftext|>! ")), "");
      assertThat(ids[0]).isEqualTo(USER);
      assertThat(ids[ids.length - 1]).isEqualTo(ASSISTANT);
      assertThat(Arrays.copyOfRange(ids, 1, ids.length - 1)).isEqualTo(literal);
    }
  }

  @Test
  void partsOfSpecialTokensDoNotJoinAcrossContents() {
    try (HuggingFaceTextCodec codec = chatCodec()) {
      int[] ids =
          codec.encodeChat(List.of(new ChatMessage("user", "x <|assist")), "ant|><|mask|> y");
      assertThat(ids).containsOnlyOnce(USER, ASSISTANT).doesNotContain(MASK);
      assertThat(codec.decode(ids)).isEqualTo("x <|assistant|><|mask|> y");
    }
  }

  @Test
  void aChatWithoutSpecialTokensInItsContentsIsEncodedLikeItsRenderedText() {
    try (HuggingFaceTextCodec codec = chatCodec()) {
      for (JsonNode entry : TextFixtures.golden("byte_level").path("rendered")) {
        if (entry.path("text").asString().equals("<|user|><|assistant|>")) {
          assertThat(codec.encodeChat(List.of(new ChatMessage("user", "")), ""))
              .isEqualTo(TextFixtures.ids(entry.path("ids")));
          return;
        }
      }
    }
    throw new AssertionError("golden value: none (expected: <|user|><|assistant|>)");
  }

  @Test
  void refusesRolesAndNoncharacters() {
    try (HuggingFaceTextCodec codec = chatCodec()) {
      assertThatThrownBy(() -> codec.encodeChat(List.of(new ChatMessage("user|><|mask", "x")), ""))
          .hasMessage(
              "messages[0].role: user|><|mask (expected: 1 to 64 letters, digits, '_', '.' or"
                  + " '-')");
      assertThatThrownBy(() -> codec.encodeChat(List.of(new ChatMessage("user", "ab\uFDD0")), ""))
          .hasMessage("messages[0].content: U+FDD0 at 2 (expected: no noncharacters)");
    }
  }

  @Test
  void aModelWithoutATemplateSaysSo() {
    try (HuggingFaceTextCodec codec = TextFixtures.codec("byte_level")) {
      assertThat(codec.hasChatTemplate()).isFalse();
      assertThatThrownBy(() -> codec.encodeChat(List.of(new ChatMessage("user", "x")), ""))
          .isInstanceOfSatisfying(
              ServingException.class,
              e -> assertThat(e.reason()).isEqualTo(ErrorReason.MODEL_CAPABILITY));
    }
  }

  @Test
  void refusesFilesThatAreNoTokenizer() {
    for (String json :
        List.of(
            "",
            "[]",
            "{}",
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":5000000}}}",
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0}}}")) {
      assertThatThrownBy(
              () -> new HuggingFaceTextCodec(json, List.of(), List.of(), Optional.empty()))
          .as(json)
          .isInstanceOf(ServingException.class)
          .hasMessageStartingWith("tokenizer.json")
          .hasMessageContaining("(expected: ");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"byte_level", "byte_fallback"})
  void bytesOfConsecutiveTokensAreTheText(String name) {
    Random random = new Random(7);
    try (HuggingFaceTextCodec codec = TextFixtures.codec(name)) {
      for (int round = 0; round < 200; round++) {
        String text = randomText(random);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int id : codec.encode(text)) {
          bytes.writeBytes(codec.bytes(id));
        }
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo(text);
      }
    }
  }

  @Test
  void wordPiecesCarryTheirSpace() {
    try (HuggingFaceTextCodec codec = TextFixtures.codec("word_piece")) {
      assertThat(codec.decode(codec.encode("the painter"))).isEqualTo(" the painter");
    }
  }

  @Test
  void idsThatNoTokenHasAreSilent() {
    try (HuggingFaceTextCodec codec = TextFixtures.codec("byte_level")) {
      assertThat(codec.bytes(-1)).isEmpty();
      assertThat(codec.bytes(1_000_000)).isEmpty();
      assertThat(codec.decode(new int[] {1_000_000})).isEmpty();
    }
  }

  private static HuggingFaceTextCodec chatCodec() {
    InstantSource clock = InstantSource.fixed(Instant.EPOCH);
    return TextFixtures.codec(
        "byte_level", Optional.of(new ChatTemplate(TEMPLATE, Map.of(), clock)));
  }

  private static String randomText(Random random) {
    String[] parts = {
      "the ",
      "canvas",
      " ",
      "\n",
      "é",
      "日本",
      "🙂",
      "👩‍👩‍👧",
      "<|mask|>",
      "<mask>",
      "x1",
      "\t",
      ".",
      "  "
    };
    StringBuilder text = new StringBuilder();
    for (int count = random.nextInt(12); count > 0; count--) {
      text.append(parts[random.nextInt(parts.length)]);
    }
    return text.toString();
  }
}
