package io.sfumato.server.text;

import java.util.List;

/** Finds the texts that end a generation. Immutable and thread-safe. */
public final class StopMatcher {

  private static final int NOT_FOUND = -1;

  private final List<String> stopTexts;
  private final int longest;

  /**
   * @param stopTexts none of them empty; may be none
   */
  public StopMatcher(List<String> stopTexts) {
    this.stopTexts = List.copyOf(stopTexts);
    int length = 0;
    for (String stopText : stopTexts) {
      if (stopText.isEmpty()) {
        throw new IllegalArgumentException("stop_texts: \"\" (expected: 1 character or more)");
      }
      length = Math.max(length, stopText.length());
    }
    longest = length;
  }

  /**
   * Where the stop text that is complete first begins, at or after an index, in UTF-16 units; -1
   * for none. Of two that end at the same place the longer one counts.
   */
  int find(StringBuilder text, int from) {
    int first = NOT_FOUND;
    int firstEnd = Integer.MAX_VALUE;
    for (String stopText : stopTexts) {
      int index = text.indexOf(stopText, from);
      int end = index + stopText.length();
      if (index >= 0 && (end < firstEnd || (end == firstEnd && index < first))) {
        first = index;
        firstEnd = end;
      }
    }
    return first;
  }

  /** UTF-16 units at the end of the text that may be the beginning of a stop text. */
  int openUnits(StringBuilder text) {
    for (int units = Math.min(longest - 1, text.length()); units > 0; units--) {
      String tail = text.substring(text.length() - units);
      for (String stopText : stopTexts) {
        if (stopText.length() > units && stopText.startsWith(tail)) {
          return units;
        }
      }
    }
    return 0;
  }
}
