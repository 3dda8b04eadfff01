package io.sfumato.server.text;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A tokenizer's special tokens: which ids they are, and how texts that look like them are kept from
 * becoming them. Immutable and thread-safe.
 *
 * <p>A protected text has a {@link #MARKER} inside every string that a tokenizer would take for a
 * special token; the chat tokenizer deletes the marker after it has looked for special tokens.
 */
final class SpecialTokens {

  /** A Unicode noncharacter: it has no meaning in any text that is meant for interchange. */
  static final char MARKER = '\uFDD0';

  private final BitSet ids = new BitSet();
  private final Map<Character, List<String>> textsByFirst = new HashMap<>();

  /**
   * @param textsById the special tokens of the tokenizer
   * @param furtherIds ids that the model reserves although its tokenizer does not say so; negative
   *     ones are skipped
   */
  SpecialTokens(Map<Integer, String> textsById, Collection<Integer> furtherIds) {
    textsById.keySet().stream().filter(id -> id >= 0).forEach(ids::set);
    furtherIds.stream().filter(id -> id >= 0).forEach(ids::set);
    textsById.values().stream()
        .filter(text -> !text.isEmpty())
        .distinct()
        .forEach(text ->
            textsByFirst.computeIfAbsent(text.charAt(0), first -> new ArrayList<>()).add(text));
  }

  boolean contains(int token) {
    return token >= 0 && ids.get(token);
  }

  /**
   * Puts a marker behind the first character of every special token's string, and of every
   * beginning of one at the end of the text, which the text after it could complete.
   */
  String protect(String text) {
    StringBuilder result = new StringBuilder(text.length() + 8);
    for (int index = 0; index < text.length(); index++) {
      result.append(text.charAt(index));
      for (String special : candidates(text, index)) {
        int common = Math.min(special.length(), text.length() - index);
        if (text.regionMatches(index, special, 0, common)) {
          result.append(MARKER);
          break;
        }
      }
    }
    return result.toString();
  }

  /** Strings of special tokens in the text from left to right, the longest where several begin. */
  List<String> find(String text) {
    List<String> found = new ArrayList<>();
    int index = 0;
    while (index < text.length()) {
      String longest = "";
      for (String special : candidates(text, index)) {
        if (special.length() > longest.length() && text.startsWith(special, index)) {
          longest = special;
        }
      }
      if (!longest.isEmpty()) {
        found.add(longest);
      }
      index += Math.max(1, longest.length());
    }
    return found;
  }

  private List<String> candidates(String text, int index) {
    return textsByFirst.getOrDefault(text.charAt(index), List.of());
  }
}
