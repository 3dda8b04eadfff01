package io.sfumato.server.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tokenizers and expected values written by {@code src/test/python/make_text_goldens.py}.
 * Thread-safe.
 */
final class TextFixtures {

  private TextFixtures() {}

  static HuggingFaceTextCodec codec(String name) {
    return codec(name, Optional.empty());
  }

  static HuggingFaceTextCodec codec(String name, Optional<ChatTemplate> template) {
    return new HuggingFaceTextCodec(
        resource(name + ".tokenizer.json"), List.of(), List.of(), template);
  }

  static JsonNode golden(String name) {
    return new JsonMapper().readTree(resource(name + ".golden.json"));
  }

  static int[] ids(JsonNode array) {
    int[] ids = new int[array.size()];
    for (int index = 0; index < ids.length; index++) {
      ids[index] = array.get(index).asInt();
    }
    return ids;
  }

  static String resource(String name) {
    try (InputStream stream = TextFixtures.class.getResourceAsStream(name)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
