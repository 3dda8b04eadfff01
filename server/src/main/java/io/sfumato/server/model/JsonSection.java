package io.sfumato.server.model;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * One object of a JSON or YAML file, read key by key; everything that is wrong with it goes to a
 * list of problems. Confined to one thread.
 *
 * <p>A problem reads {@code path.key: value (expected: ...)}. A value that is wrong is replaced by
 * its default, so that reading goes on.
 */
public final class JsonSection {

  private static final Pattern DURATION = Pattern.compile("(\\d{1,9})(ms|s|m|h)");

  private final String path;
  private final JsonNode node;
  private final List<String> problems;
  private final Set<String> known = new HashSet<>();

  /**
   * @param path prefix of every key in problems; may be empty
   * @param node an object, or missing or null for an empty one
   */
  public JsonSection(String path, JsonNode node, List<String> problems) {
    this.path = path;
    this.problems = problems;
    if (node.isMissingNode() || node.isNull()) {
      this.node = JsonNodeFactory.instance.objectNode();
    } else if (node.isObject()) {
      this.node = node;
    } else {
      problems.add(path + ": " + node + " (expected: keys and values)");
      this.node = JsonNodeFactory.instance.objectNode();
    }
  }

  /** Whether the key is there. */
  public boolean has(String key) {
    known.add(key);
    return !absent(key);
  }

  public int integer(String key, int low, int high, int absentValue) {
    JsonNode value = value(key);
    if (value == null) {
      return absentValue;
    }
    if (!value.isInt() || value.asInt() < low || value.asInt() > high) {
      unexpected(key, value, low + ".." + high);
      return absentValue;
    }
    return value.asInt();
  }

  public float number(String key, float low, float high, float absentValue) {
    JsonNode value = value(key);
    if (value == null) {
      return absentValue;
    }
    if (!value.isNumber() || !(value.asDouble() >= low && value.asDouble() <= high)) {
      unexpected(key, value, low + ".." + high);
      return absentValue;
    }
    return (float) value.asDouble();
  }

  /** A time such as {@code 250ms}, {@code 20s} or {@code 5m}. */
  public Duration duration(String key, Duration low, Duration high, Duration absentValue) {
    JsonNode value = value(key);
    if (value == null) {
      return absentValue;
    }
    Matcher matcher = DURATION.matcher(value.asString(""));
    if (value.isString() && matcher.matches()) {
      long count = Long.parseLong(matcher.group(1));
      Duration duration =
          switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(count);
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            default -> Duration.ofHours(count);
          };
      if (duration.compareTo(low) >= 0 && duration.compareTo(high) <= 0) {
        return duration;
      }
    }
    unexpected(
        key,
        value,
        "a time such as 250ms, 20s, 5m or 1h, from "
            + low.toMillis()
            + "ms to "
            + high.toMillis()
            + "ms");
    return absentValue;
  }

  public boolean flag(String key, boolean absentValue) {
    JsonNode value = value(key);
    if (value == null) {
      return absentValue;
    }
    if (!value.isBoolean()) {
      unexpected(key, value, "true or false");
      return absentValue;
    }
    return value.asBoolean();
  }

  public Optional<String> text(String key) {
    JsonNode value = value(key);
    if (value == null) {
      return Optional.empty();
    }
    if (!value.isString() || value.asString().isBlank()) {
      unexpected(key, value, "a text");
      return Optional.empty();
    }
    return Optional.of(value.asString());
  }

  /** The texts of a list; none when absent. */
  public List<String> texts(String key) {
    JsonNode value = value(key);
    List<String> texts = new ArrayList<>();
    if (value != null) {
      value.forEach(each -> texts.add(each.asString("")));
      if (!value.isArray() || texts.contains("")) {
        unexpected(key, value, "a list of texts");
      }
    }
    return texts;
  }

  /** One of an enum's constants, written in lower case. */
  public <E extends Enum<E>> E choice(String key, Class<E> type, E absentValue) {
    JsonNode value = value(key);
    if (value == null) {
      return absentValue;
    }
    List<String> names = new ArrayList<>();
    for (E constant : type.getEnumConstants()) {
      String name = constant.name().toLowerCase(Locale.ROOT);
      if (value.isString() && value.asString().equals(name)) {
        return constant;
      }
      names.add(name);
    }
    unexpected(key, value, String.join(", ", names));
    return absentValue;
  }

  /** Token ids: one number or a list of numbers; null when the key is absent. */
  public int[] tokens(String key) {
    JsonNode value = value(key);
    if (value == null) {
      return null;
    }
    List<Integer> tokens = new ArrayList<>();
    if (value.isArray()) {
      value.forEach(each -> tokens.add(each.isInt() ? each.asInt() : -1));
    } else {
      tokens.add(value.isInt() ? value.asInt() : -1);
    }
    if (tokens.stream().anyMatch(token -> token < 0)) {
      unexpected(key, value, "one token id or a list of them");
      return null;
    }
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }

  /** A token id, which must not be negative. */
  public OptionalInt token(String key) {
    int token = integer(key, 0, Integer.MAX_VALUE, -1);
    return token < 0 ? OptionalInt.empty() : OptionalInt.of(token);
  }

  /** An object within this one; empty when absent. */
  public JsonSection section(String key) {
    known.add(key);
    return new JsonSection(name(key), node.path(key), problems);
  }

  /** The objects of a list; none when absent. */
  public List<JsonSection> sections(String key) {
    JsonNode value = value(key);
    List<JsonSection> sections = new ArrayList<>();
    if (value == null) {
      return sections;
    }
    if (!value.isArray()) {
      unexpected(key, value, "a list");
      return sections;
    }
    for (JsonNode each : value) {
      sections.add(new JsonSection(name(key) + "[" + sections.size() + "]", each, problems));
    }
    return sections;
  }

  /** Reports keys that were not asked for; call it last. */
  public void refuseOthers() {
    List<String> expected = known.stream().sorted().toList();
    for (String key : node.propertyNames()) {
      if (!known.contains(key)) {
        problems.add(name(key) + ": unknown key (expected: " + String.join(", ", expected) + ")");
      }
    }
  }

  /** Reports a key's value. */
  public void unexpected(String key, Object value, String expected) {
    problems.add(name(key) + ": " + value + " (expected: " + expected + ")");
  }

  private JsonNode value(String key) {
    known.add(key);
    return absent(key) ? null : node.path(key);
  }

  private boolean absent(String key) {
    return node.path(key).isMissingNode() || node.path(key).isNull();
  }

  private String name(String key) {
    return path.isEmpty() ? key : path + "." + key;
  }
}
