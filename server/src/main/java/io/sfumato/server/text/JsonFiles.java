package io.sfumato.server.text;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads JSON and text files of a model directory, never more than a given size. Thread-safe. */
public final class JsonFiles {

  private static final JsonMapper MAPPER = new JsonMapper();

  private JsonFiles() {}

  /**
   * Parses a file that holds one JSON object.
   *
   * @param maxBytes files that are longer are refused unread
   * @throws ServingException MODEL_CAPABILITY when the file is missing, too long, or not a JSON
   *     object
   */
  public static JsonNode readObject(Path file, long maxBytes) {
    return parseObject(file.getFileName().toString(), readText(file, maxBytes));
  }

  /**
   * Parses a text that holds one JSON object.
   *
   * @param name what the text is, for the message
   * @throws ServingException MODEL_CAPABILITY when it is not a JSON object
   */
  public static JsonNode parseObject(String name, String json) {
    JsonNode node;
    try {
      node = MAPPER.readTree(json);
    } catch (JacksonException e) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          name + ": " + e.getOriginalMessage() + " (expected: a JSON object)",
          e);
    }
    if (!node.isObject()) {
      throw unexpected(name, node.getNodeType(), "a JSON object");
    }
    return node;
  }

  /**
   * Reads a UTF-8 file.
   *
   * @throws ServingException MODEL_CAPABILITY when it is missing or too long
   */
  public static String readText(Path file, long maxBytes) {
    try {
      long size = Files.size(file);
      if (size > maxBytes) {
        throw unexpected(file.getFileName().toString(), size + " bytes", "at most " + maxBytes);
      }
      return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          file.getFileName() + ": " + e + " (expected: a readable file)",
          e);
    }
  }

  static String write(JsonNode node) {
    return MAPPER.writeValueAsString(node);
  }

  static ServingException unexpected(String name, Object value, String expected) {
    return new ServingException(
        ErrorReason.MODEL_CAPABILITY, name + ": " + value + " (expected: " + expected + ")");
  }
}
