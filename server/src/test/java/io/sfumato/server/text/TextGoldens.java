package io.sfumato.server.text;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Tokenizers and expected values written by {@code fixtures/text/generate.py}. Thread-safe. */
final class TextGoldens {

  static final Path DIRECTORY = Path.of("..", "fixtures", "text");

  private TextGoldens() {}

  /**
   * @param name a folder of {@link #DIRECTORY}; {@code default} stands for the embedded model's
   */
  static HuggingFaceTextCodec codec(String name, Optional<ChatTemplate> template) {
    Path file =
        name.equals("default")
            ? Path.of("..", "models", "default", "tokenizer.json")
            : DIRECTORY.resolve(name).resolve("tokenizer.json");
    return new HuggingFaceTextCodec(text(file), List.of(), List.of(), template);
  }

  static JsonNode json(String name) {
    return new JsonMapper().readTree(text(DIRECTORY.resolve(name)));
  }

  static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ids as little-endian integers of four bytes. */
  static byte[] bytes(int[] ids) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * ids.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(ids);
    return bytes.array();
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new AssertionError(impossible);
    }
  }

  static String sha256(int[] ids) {
    return HexFormat.of().formatHex(sha256().digest(bytes(ids)));
  }
}
