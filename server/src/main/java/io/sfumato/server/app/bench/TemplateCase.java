package io.sfumato.server.app.bench;

import io.sfumato.v1.ChoiceSlot;
import io.sfumato.v1.FreeSlot;
import io.sfumato.v1.Template;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A JSON object as a template, and what must be true of it once it is filled. Immutable.
 *
 * @param options of the choice slots by name, without quotes
 */
record TemplateCase(Template template, List<String> names, Map<String, List<String>> options) {

  private static final int MOST_SLOTS = 5;
  private static final List<String> KEYS =
      List.of("name", "kind", "place", "mood", "colour", "thing", "weather", "answer", "reason");
  private static final List<List<String>> CHOICES =
      List.of(
          List.of("fox", "bear", "owl", "hedgehog", "clockmaker"),
          List.of("happy", "sad", "very proud", "not so sure"),
          List.of("red", "blue", "green", "golden", "black and white"),
          List.of("in the forest", "by the sea", "at the mill"),
          List.of("yes", "no"),
          List.of("one", "two", "three", "more than three"));

  /** What must not stand in a JSON string as it is. */
  private static final String NOT_IN_A_STRING = notInAString();

  private static String notInAString() {
    StringBuilder characters = new StringBuilder("\"\\");
    for (char control = 0; control < ' '; control++) {
      characters.append(control);
    }
    return characters.toString();
  }

  /** An object of 1 to 5 fields, each a free slot or a choice. */
  static TemplateCase draw(Random random) {
    List<String> keys = new ArrayList<>(KEYS);
    Collections.shuffle(keys, random);
    List<String> names = List.copyOf(keys.subList(0, 1 + random.nextInt(MOST_SLOTS)));
    Map<String, List<String>> options = new HashMap<>();
    Template.Builder template = Template.newBuilder();
    for (int index = 0; index < names.size(); index++) {
      String name = names.get(index);
      template.addPartsBuilder().setFixedText((index == 0 ? "{\"" : "\", \"") + name + "\": \"");
      if (random.nextBoolean()) {
        template
            .addPartsBuilder()
            .setFreeSlot(
                FreeSlot.newBuilder()
                    .setName(name)
                    .setLengthTokens(2 + random.nextInt(11))
                    .setEndBefore(NOT_IN_A_STRING));
      } else {
        List<String> choice = CHOICES.get(random.nextInt(CHOICES.size()));
        options.put(name, choice);
        template
            .addPartsBuilder()
            .setChoiceSlot(ChoiceSlot.newBuilder().setName(name).addAllOptions(choice));
      }
    }
    template.addPartsBuilder().setFixedText("\"}");
    return new TemplateCase(template.build(), names, Map.copyOf(options));
  }

  /** Whether the text is a JSON object with the template's fields, and options where it asks. */
  boolean isFilledBy(String text) {
    JsonNode json;
    try {
      json = JsonMapper.shared().readTree(text);
    } catch (JacksonException malformed) {
      return false;
    }
    for (String name : names) {
      JsonNode value = json.path(name);
      if (!value.isString()
          || (options.containsKey(name) && !options.get(name).contains(value.asString()))) {
        return false;
      }
    }
    return json.isObject() && json.size() == names.size();
  }
}
