package io.sfumato.server.text;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * Formats a time by the directives of C's {@code strftime} that chat templates use, in English.
 * Thread-safe.
 */
final class Strftime {

  private Strftime() {}

  /** Directives that are not known stay as they are. */
  static String format(String format, ZonedDateTime time) {
    StringBuilder result = new StringBuilder();
    int index = 0;
    while (index < format.length()) {
      char letter = format.charAt(index++);
      if (letter != '%' || index == format.length()) {
        result.append(letter);
        continue;
      }
      boolean unpadded = format.charAt(index) == '-' && index + 1 < format.length();
      if (unpadded) {
        index++;
      }
      result.append(directive(format.charAt(index++), unpadded, time));
    }
    return result.toString();
  }

  private static String directive(char directive, boolean unpadded, ZonedDateTime time) {
    return switch (directive) {
      case 'Y' -> pattern("uuuu", time);
      case 'y' -> pattern("uu", time);
      case 'B' -> pattern("MMMM", time);
      case 'b' -> pattern("MMM", time);
      case 'A' -> pattern("EEEE", time);
      case 'a' -> pattern("EEE", time);
      case 'm' -> pattern(unpadded ? "M" : "MM", time);
      case 'd' -> pattern(unpadded ? "d" : "dd", time);
      case 'H' -> pattern(unpadded ? "H" : "HH", time);
      case 'I' -> pattern(unpadded ? "h" : "hh", time);
      case 'M' -> pattern(unpadded ? "m" : "mm", time);
      case 'S' -> pattern(unpadded ? "s" : "ss", time);
      case 'j' -> pattern(unpadded ? "D" : "DDD", time);
      case 'p' -> pattern("a", time);
      case 'Z' -> pattern("zzz", time);
      case 'z' -> pattern("xx", time);
      case '%' -> "%";
      default -> (unpadded ? "%-" : "%") + directive;
    };
  }

  private static String pattern(String pattern, ZonedDateTime time) {
    return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
  }
}
