package io.sfumato.server.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.MessageDigest;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * A mixed corpus of one MiB, cut in documents, becomes the ids that Hugging Face's Python library
 * makes of it ({@code fixtures/text}).
 */
class TokenizerGoldensTest {

  private static final int DOCUMENT_CODE_POINTS = 1000;

  private static List<String> documents;

  @BeforeAll
  static void readCorpus() throws IOException {
    String corpus;
    try (InputStream bytes =
        new GZIPInputStream(Files.newInputStream(TextGoldens.DIRECTORY.resolve("corpus.txt.gz")))) {
      corpus = new String(bytes.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertThat(corpus.getBytes(StandardCharsets.UTF_8)).hasSize(1 << 20);
    documents = new ArrayList<>();
    for (int start = 0; start < corpus.length(); ) {
      int left = corpus.codePointCount(start, corpus.length());
      int end = corpus.offsetByCodePoints(start, Math.min(DOCUMENT_CODE_POINTS, left));
      documents.add(corpus.substring(start, end));
      start = end;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"default", "qwen2", "llama3", "gemma", "llama2", "bert"})
  void corpusHasTheIdsOfTheReferenceAndComesBack(String name) {
    JsonNode golden = TextGoldens.json(name + "/golden.json");
    String[] expected = golden.path("sha256_of_documents").asString().split(" ");
    assertThat(documents).hasSize(golden.path("documents").asInt()).hasSameSizeAs(expected);
    MessageDigest whole = TextGoldens.sha256();
    int count = 0;
    try (HuggingFaceTextCodec codec = TextGoldens.codec(name, Optional.empty())) {
      for (int index = 0; index < expected.length; index++) {
        int[] ids = codec.encode(documents.get(index));
        assertThat(TextGoldens.sha256(ids))
            .as("%s, document %s: %s", name, index, documents.get(index))
            .startsWith(expected[index]);
        decoded(name, documents.get(index))
            .ifPresent(text -> assertThat(codec.decode(ids)).as(name).isEqualTo(text));
        whole.update(TextGoldens.bytes(ids));
        count += ids.length;
      }
    }
    assertThat(count).isEqualTo(golden.path("ids").asInt());
    assertThat(HexFormat.of().formatHex(whole.digest()))
        .isEqualTo(golden.path("sha256").asString());
  }

  @ParameterizedTest
  @ValueSource(strings = {"default", "qwen2", "llama3", "gemma", "llama2", "bert"})
  void shortTextsHaveTheIdsOfTheReference(String name) {
    try (HuggingFaceTextCodec codec = TextGoldens.codec(name, Optional.empty())) {
      for (JsonNode entry : TextGoldens.json(name + "/golden.json").path("texts")) {
        String text = entry.path("text").asString();
        assertThat(codec.encode(text)).as(text).isEqualTo(TextFixtures.ids(entry.path("ids")));
      }
    }
  }

  /** What decoding the ids of a text gives back; of WordPiece, which loses too much, nothing. */
  private static Optional<String> decoded(String name, String text) {
    return switch (name) {
      case "bert" -> Optional.empty();
      case "qwen2" -> Optional.of(Normalizer.normalize(text, Normalizer.Form.NFC));
      case "gemma" -> Optional.of(text.replace('\u2581', ' '));
      case "llama2" -> Optional.of(" " + text.replace('\u2581', ' '));
      default -> Optional.of(text);
    };
  }
}
