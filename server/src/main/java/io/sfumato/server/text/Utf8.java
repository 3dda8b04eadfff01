package io.sfumato.server.text;

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Where code points begin and end in bytes, and their text. Pure.
 *
 * <p>Not the JDK's decoder, which replaces the three bytes of a surrogate by a single U+FFFD.
 */
final class Utf8 {

  private Utf8() {}

  /**
   * The extent of what stands at an index: n when n bytes are a whole code point, -n when n bytes
   * are the longest beginning of one (or no such beginning, n = 1), as U+FFFD replaces it (Unicode,
   * table 3-7 and section 3.9).
   */
  static int extent(byte[] bytes, int index, int end) {
    int first = bytes[index] & 0xff;
    if (first < 0x80) {
      return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
      return -1;
    }
    int length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    int low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    int high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (int count = 1; count < length; count++) {
      if (index + count >= end) {
        return -count;
      }
      int next = bytes[index + count] & 0xff;
      if (next < low || next > high) {
        return -count;
      }
      low = 0x80;
      high = 0xbf;
    }
    return length;
  }

  /** Whether the bytes are whole code points. */
  static boolean isWhole(byte[] bytes) {
    int index = 0;
    while (index < bytes.length) {
      int extent = extent(bytes, index, bytes.length);
      if (extent < 0) {
        return false;
      }
      index += extent;
    }
    return true;
  }

  /** Bytes at the end that begin a code point and may yet become one. */
  static int openBytes(byte[] bytes, int end) {
    for (int back = 1; back <= Math.min(3, end); back++) {
      int lead = bytes[end - back] & 0xff;
      if (lead >= 0xc0) {
        boolean begins = lead >= 0xc2 && lead <= 0xf4;
        return begins && extent(bytes, end - back, end) == -back ? back : 0;
      }
      if (lead < 0x80) {
        return 0;
      }
    }
    return 0;
  }

  /** The text of the bytes, U+FFFD in place of what is no code point. */
  static String decode(byte[] bytes, int from, int to) {
    StringBuilder text = new StringBuilder(to - from);
    int index = from;
    while (index < to) {
      int extent = extent(bytes, index, to);
      if (extent > 0) {
        text.append(new String(bytes, index, extent, UTF_8));
      } else {
        text.append('\uFFFD');
      }
      index += Math.abs(extent);
    }
    return text.toString();
  }
}
