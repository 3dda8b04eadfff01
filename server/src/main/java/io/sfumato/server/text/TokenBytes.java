package io.sfumato.server.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * The UTF-8 bytes each token stands for, whatever stands beside it. Immutable and thread-safe.
 *
 * <p>What a decoder does at the ends of a whole text is left out, because a canvas has none: the
 * space that starts a SentencePiece or WordPiece text stays, and WordPiece does not join
 * punctuation to the word before it.
 */
final class TokenBytes {

  private static final Pattern BYTE_PIECE = Pattern.compile("<0x([0-9A-Fa-f]{2})>");
  private static final byte[] NONE = {};

  private final byte[][] bytesById;

  private TokenBytes(byte[][] bytesById) {
    this.bytesById = bytesById;
  }

  /**
   * @throws io.sfumato.server.error.ServingException MODEL_CAPABILITY when the tokenizer has a
   *     decoder that does not work token by token
   */
  static TokenBytes of(TokenizerFile file) {
    Function<String, byte[]> decode = decoder(file.decoder());
    byte[][] bytes = new byte[file.pieces().length][];
    for (int id = 0; id < bytes.length; id++) {
      String piece = file.pieces()[id];
      boolean silent = piece == null || file.special().contains(id);
      bytes[id] = silent ? NONE : decode.apply(piece);
    }
    return new TokenBytes(bytes);
  }

  /** Bytes of the token; empty for special and unknown ids. */
  byte[] get(int token) {
    return token >= 0 && token < bytesById.length ? bytesById[token] : NONE;
  }

  /** Number of ids, gaps counted. */
  int vocabulary() {
    return bytesById.length;
  }

  private static Function<String, byte[]> decoder(JsonNode decoder) {
    if (!decoder.isObject()) {
      return piece -> utf8(" " + piece);
    }
    List<JsonNode> steps = new ArrayList<>();
    flatten(decoder, steps);
    if (steps.stream().anyMatch(step -> type(step).equals("ByteLevel"))) {
      return byteLevel();
    }
    Function<String, String> text = Function.identity();
    boolean byteFallback = false;
    for (JsonNode step : steps) {
      switch (type(step)) {
        case "Replace" -> text = text.andThen(replace(step));
        case "Metaspace" ->
            text = text.andThen(replaceAll(step.path("replacement").asString("\u2581"), " "));
        case "WordPiece" -> text = text.andThen(wordPiece(step.path("prefix").asString("##")));
        case "BPEDecoder" ->
            text = text.andThen(replaceAll(step.path("suffix").asString("</w>"), " "));
        case "ByteFallback" -> byteFallback = true;
        case "Fuse", "Strip" -> {}
        default ->
            throw JsonFiles.unexpected(
                "tokenizer.json decoder.type",
                type(step),
                "ByteLevel, Replace, Metaspace, WordPiece, BPEDecoder, ByteFallback, Fuse, Strip or"
                    + " Sequence");
      }
    }
    return withBytePieces(text, byteFallback);
  }

  private static Function<String, byte[]> withBytePieces(
      Function<String, String> text, boolean bytePieces) {
    return piece -> {
      Matcher matcher = BYTE_PIECE.matcher(piece);
      if (bytePieces && matcher.matches()) {
        return new byte[] {(byte) Integer.parseInt(matcher.group(1), 16)};
      }
      return utf8(text.apply(piece));
    };
  }

  private static void flatten(JsonNode decoder, List<JsonNode> steps) {
    if (type(decoder).equals("Sequence")) {
      decoder.path("decoders").forEach(step -> flatten(step, steps));
    } else {
      steps.add(decoder);
    }
  }

  private static String type(JsonNode step) {
    return step.path("type").asString("");
  }

  private static Function<String, String> replace(JsonNode step) {
    JsonNode string = step.path("pattern").path("String");
    if (!string.isString()) {
      throw JsonFiles.unexpected(
          "tokenizer.json decoder.pattern", step.path("pattern"), "a String");
    }
    return replaceAll(string.asString(), step.path("content").asString(""));
  }

  private static Function<String, String> replaceAll(String from, String to) {
    return piece -> piece.replace(from, to);
  }

  private static Function<String, String> wordPiece(String prefix) {
    return piece -> piece.startsWith(prefix) ? piece.substring(prefix.length()) : " " + piece;
  }

  /**
   * GPT-2's alphabet: printable Latin-1 stands for itself, the other bytes for the characters from
   * U+0100 on.
   */
  private static Function<String, byte[]> byteLevel() {
    Map<Character, Byte> alphabet = new HashMap<>();
    int next = 0x100;
    for (int value = 0; value < 256; value++) {
      boolean printable =
          value >= '!' && value <= '~' || value >= 0xA1 && value <= 0xAC || value >= 0xAE;
      char letter = printable ? (char) value : (char) next++;
      alphabet.put(letter, (byte) value);
    }
    return piece -> {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(piece.length());
      for (int index = 0; index < piece.length(); index++) {
        Byte value = alphabet.get(piece.charAt(index));
        if (value == null) {
          return utf8(piece);
        }
        bytes.write(value);
      }
      return bytes.toByteArray();
    };
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
