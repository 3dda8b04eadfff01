package io.sfumato.server.text;

import static java.util.Objects.requireNonNull;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/**
 * The text of what a session has committed so far: append-only, whole code points only, and never
 * any of a stop text. One per call; confined to one thread at a time.
 *
 * <p>What may be the beginning of a code point or of a stop text is held back until the next commit
 * decides it, or the end.
 */
public final class CommittedText {

  private final TextCodec codec;
  private final StopMatcher stops;
  private final StringBuilder text = new StringBuilder(); // decoded, held-back tail included
  private byte[] openBytes = {};
  private int[] tokenEnds = new int[64]; // [tokens] UTF-16 units decoded when each token was there
  private int tokenCount;
  private int released;
  private boolean stopped;

  public CommittedText(TextCodec codec, StopMatcher stops) {
    this.codec = requireNonNull(codec, "codec");
    this.stops = requireNonNull(stops, "stops");
  }

  /**
   * Appends the tokens of one commit.
   *
   * @return the text that is now final and was not returned before; empty after a stop text
   */
  public String append(int[] tokens) {
    if (stopped) {
      return "";
    }
    int searchFrom = released;
    for (int token : tokens) {
      decode(codec.bytes(token), false);
      if (tokenCount == tokenEnds.length) {
        tokenEnds = Arrays.copyOf(tokenEnds, 2 * tokenCount);
      }
      tokenEnds[tokenCount++] = text.length();
    }
    return release(searchFrom, false);
  }

  /** Ends the text: what was held back and not returned before. */
  public String finish() {
    if (stopped) {
      return "";
    }
    decode(new byte[0], true);
    return release(released, true);
  }

  /** Whether a stop text was found; what follows is ignored. */
  public boolean stopped() {
    return stopped;
  }

  /** Committed tokens that the text is made of, up to a stop text. */
  public int tokenCount() {
    return tokenCount;
  }

  /** All text returned so far. */
  public String text() {
    return text.substring(0, released);
  }

  private void decode(byte[] next, boolean last) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream(openBytes.length + next.length);
    joined.writeBytes(openBytes);
    joined.writeBytes(next);
    byte[] bytes = joined.toByteArray();
    int open = last ? 0 : Utf8.openBytes(bytes, bytes.length);
    text.append(Utf8.decode(bytes, 0, bytes.length - open));
    openBytes = Arrays.copyOfRange(bytes, bytes.length - open, bytes.length);
  }

  private String release(int searchFrom, boolean last) {
    int stop = stops.find(text, searchFrom);
    int end;
    if (stop >= 0) {
      stopped = true;
      end = stop;
      cutTokens(stop);
    } else {
      end = last ? text.length() : text.length() - stops.openUnits(text);
    }
    String now = text.substring(released, end);
    released = end;
    return now;
  }

  /** Keeps the tokens that have a share in the first units of the text. */
  private void cutTokens(int units) {
    int kept = 0;
    while (kept < tokenCount && (kept == 0 ? 0 : tokenEnds[kept - 1]) < units) {
      kept++;
    }
    tokenCount = kept;
  }
}
