package io.sfumato.server.text;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;

/**
 * The text of every position of a canvas. Thread-safe: one per model, remembers the text of each
 * token it has met.
 *
 * <p>A code point whose bytes are split over tokens stands whole at the first of its positions, and
 * the others have no text. Where it is not whole, U+FFFD stands in its place, so that the joined
 * texts of a run are what UTF-8 decoding makes of its bytes.
 */
public final class CanvasText {

  /** In place of a text: a lone surrogate, which no UTF-8 can be. */
  private static final String NOT_WHOLE = "\uD800";

  private final TextCodec codec;
  private final String[]
      known; // [vocabulary], filled by any thread: a String is safe to publish by a race

  public CanvasText(TextCodec codec) {
    this.codec = requireNonNull(codec, "codec");
    known = new String[codec.vocabulary()];
  }

  /**
   * Text of each position of one run of tokens that may be joined.
   *
   * @param texts where the texts go: as many as there are tokens, at the same indices
   */
  public void write(int[] tokens, int from, int to, String[] texts) {
    boolean whole = true;
    for (int index = from; index < to; index++) {
      String text = known(tokens[index]);
      whole &= !text.equals(NOT_WHOLE);
      texts[index] = text;
    }
    if (!whole) {
      join(tokens, from, to, texts);
    }
  }

  /** Text of one token by itself; U+FFFD where it is no whole code point. */
  public String write(int token) {
    String[] text = new String[1];
    write(new int[] {token}, 0, 1, text);
    return text[0];
  }

  private String known(int token) {
    if (token < 0 || token >= known.length) {
      return "";
    }
    String text = known[token];
    if (text == null) {
      byte[] bytes = codec.bytes(token);
      text = Utf8.isWhole(bytes) ? new String(bytes, UTF_8) : NOT_WHOLE;
      known[token] = text;
    }
    return text;
  }

  private void join(int[] tokens, int from, int to, String[] texts) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    int[] ends = new int[to - from]; // end of each position's bytes
    for (int index = from; index < to; index++) {
      if (tokens[index] >= 0 && tokens[index] < known.length) {
        joined.writeBytes(codec.bytes(tokens[index]));
      }
      ends[index - from] = joined.size();
    }
    byte[] bytes = joined.toByteArray();
    int next = 0;
    for (int index = from; index < to; index++) {
      int first = next;
      while (next < ends[index - from]) {
        next += Math.abs(Utf8.extent(bytes, next, bytes.length));
      }
      texts[index] = Utf8.decode(bytes, first, next);
    }
  }
}
