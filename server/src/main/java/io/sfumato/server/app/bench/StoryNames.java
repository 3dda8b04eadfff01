package io.sfumato.server.app.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names that heroes of stories have, in groups whose names may stand for each other, and how
 * they are written in tokens. Immutable and thread-safe.
 */
final class StoryNames {

  private final List<List<String>> groups;
  private final Map<String, List<Integer>> tokens = new HashMap<>(); // by written form
  private final Pattern anyName;

  /**
   * A name in a text.
   *
   * @param position of its first token
   * @param tokens what stands there, the space before it included where there is one
   */
  record Mention(String name, int position, List<Integer> tokens) {}

  /**
   * @param groups names that may stand for each other, at least two in each
   * @param encode tokens of a text
   */
  StoryNames(List<List<String>> groups, Function<String, List<Integer>> encode) {
    this.groups = groups.stream().map(List::copyOf).toList();
    List<String> all = this.groups.stream().flatMap(List::stream).toList();
    for (String name : all) {
      tokens.put(name, List.copyOf(encode.apply(name)));
      tokens.put(" " + name, List.copyOf(encode.apply(" " + name)));
    }
    anyName =
        Pattern.compile(
            "\\b(" + String.join("|", all.stream().map(Pattern::quote).toList()) + ")\\b");
  }

  /** Whether a text has any of the names. */
  boolean isNamedIn(String text) {
    return anyName.matcher(text).find();
  }

  /** How often a text has the name, as a word. */
  static int count(String text, String name) {
    return (int)
        Pattern.compile("\\b" + Pattern.quote(name) + "\\b").matcher(text).results().count();
  }

  /**
   * The first name of a text: the hero's. Empty when there is none, or it is not written in the
   * tokens that it has by itself.
   *
   * @param textTokens the text's own tokens
   */
  Optional<Mention> first(String text, List<Integer> textTokens) {
    Matcher matcher = anyName.matcher(text);
    if (!matcher.find()) {
      return Optional.empty();
    }
    String name = matcher.group();
    boolean spaced = matcher.start() > 0 && text.charAt(matcher.start() - 1) == ' ';
    List<Integer> written = tokens.get(spaced ? " " + name : name);
    int position = Collections.indexOfSubList(textTokens, written);
    return position < 0 ? Optional.empty() : Optional.of(new Mention(name, position, written));
  }

  /**
   * Another name of the same group for the same place: as many tokens, and not in the text yet.
   * Empty when there is none.
   */
  Optional<Mention> another(Mention hero, String text, Random random) {
    boolean spaced = tokens.get(" " + hero.name()).equals(hero.tokens());
    List<Mention> others = new ArrayList<>();
    for (List<String> group : groups) {
      for (String name : group.contains(hero.name()) ? group : List.<String>of()) {
        List<Integer> written = tokens.get(spaced ? " " + name : name);
        if (written.size() == hero.tokens().size() && count(text, name) == 0) {
          others.add(new Mention(name, hero.position(), written));
        }
      }
    }
    return others.isEmpty()
        ? Optional.empty()
        : Optional.of(others.get(random.nextInt(others.size())));
  }
}
