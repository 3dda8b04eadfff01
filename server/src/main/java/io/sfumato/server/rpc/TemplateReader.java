package io.sfumato.server.rpc;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.session.Template;
import io.sfumato.server.session.Template.Option;
import io.sfumato.server.session.Template.Slot;
import io.sfumato.server.text.TextCodec;
import io.sfumato.v1.ChoiceSlot;
import io.sfumato.v1.FreeSlot;
import io.sfumato.v1.TemplatePart;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;

/** Reads the template of one canvas: text that stands, and slots. Confined to one call. */
final class TemplateReader {

  private static final int MOST_PARTS = 1024;
  private static final int LONGEST_NAME = 64;
  private static final int MOST_OPTIONS = 256;
  private static final int MOST_OPTIONS_OF_ALL = 4096;
  private static final int MOST_ENDS = 64;
  private static final int ASCII = 128;

  private final ServedModel model;
  private final String templatePath;
  private final boolean endOfText;
  private final Problems problems;
  private final Set<String> names = new HashSet<>();
  private final List<Slot> slots = new ArrayList<>();
  private final List<String> paths = new ArrayList<>(); // of the slots
  private int[] tokens = {};
  private int optionCount;

  private TemplateReader(
      String templatePath, ServedModel model, boolean endOfText, Problems problems) {
    this.templatePath = templatePath;
    this.model = model;
    this.endOfText = endOfText;
    this.problems = problems;
  }

  /**
   * @param path of the template in its request
   * @param endOfText whether a trailing free slot may end the canvas early
   */
  static TemplateReader read(
      io.sfumato.v1.Template template,
      String path,
      ServedModel model,
      boolean endOfText,
      Problems problems) {
    TemplateReader reader = new TemplateReader(path, model, endOfText, problems);
    List<TemplatePart> parts = template.getPartsList();
    Ranges.count(problems, path + ".parts", parts.size(), "parts", 1, MOST_PARTS);
    if (model.defaults().isUniform()) {
      problems.capability(path, "set", "absent with a model of uniform noise");
    } else if (PromptReader.codec(path, model, problems) != null
        && model.defaults().endOfTextTokens().length == 0) {
      problems.capability(path, "set", "absent, the model has no end-of-text to fill slots with");
    }
    for (int index = 0; index < parts.size() && index < MOST_PARTS; index++) {
      reader.add(parts.get(index), path + ".parts[" + index + "]");
    }
    if (problems.isEmpty() && reader.slots.isEmpty()) {
      problems.invalid(path + ".parts", "fixed text only", "a slot or more");
    }
    return reader;
  }

  /** Where the model sees one block at a time, a choice is made within one. */
  void checkBlocks(int blockLength) {
    for (int index = 0; index < slots.size() && model.defaults().encodesContext(); index++) {
      Slot slot = slots.get(index);
      int last = slot.end() - 1;
      if (slot instanceof Template.ChoiceSlot && slot.start() / blockLength != last / blockLength) {
        problems.capability(
            paths.get(index),
            "tokens " + slot.start() + ".." + last,
            "within a block of " + blockLength + ", all that the model sees at once");
      }
    }
  }

  /** Number of positions. */
  int length() {
    return tokens.length;
  }

  /** The canvas with its fixed text pinned; {@link Problems#isEmpty} must hold. */
  CanvasStart start() {
    boolean[] pinned = new boolean[tokens.length];
    for (int position = 0; position < tokens.length; position++) {
      pinned[position] = tokens[position] != CanvasSnapshot.NO_TOKEN;
    }
    return new CanvasStart(tokens, pinned, List.of());
  }

  /** The slots; {@link Problems#isEmpty} must hold. */
  Template template() {
    Slot last = slots.getLast();
    boolean openEnd = endOfText && last instanceof Template.FreeSlot && last.end() == tokens.length;
    return new Template(
        slots, model.defaults().endOfTextTokens()[0], openEnd ? last.start() : tokens.length);
  }

  private void add(TemplatePart part, String path) {
    switch (part.getPartCase()) {
      case FIXED_TEXT ->
          append(PromptReader.encode(part.getFixedText(), path + ".fixed_text", model, problems));
      case FREE_SLOT -> add(part.getFreeSlot(), path + ".free_slot");
      case CHOICE_SLOT -> add(part.getChoiceSlot(), path + ".choice_slot");
      case PART_NOT_SET -> problems.invalid(path, "absent", "fixed_text, free_slot or choice_slot");
    }
  }

  private void add(FreeSlot slot, String path) {
    name(slot.getName(), path);
    int room = Math.max(1, model.engine().maxPositions() - tokens.length);
    int length = Ranges.integer(problems, path + ".length_tokens", slot.getLengthTokens(), 1, room);
    IntPredicate ends = ends(slot.getEndBefore(), path + ".end_before");
    paths.add(path);
    slots.add(new Template.FreeSlot(slot.getName(), tokens.length, length, ends));
    appendUndecided(length);
  }

  private IntPredicate ends(String characters, String path) {
    Ranges.length(problems, path, characters, 0, MOST_ENDS);
    BitSet ends = new BitSet(ASCII);
    for (int index = 0; index < characters.length(); index++) {
      char character = characters.charAt(index);
      if (character >= ASCII) {
        problems.invalid(
            path + "[" + index + "]", String.format("U+%04X", (int) character), "U+0000..U+007F");
      } else {
        ends.set(character);
      }
    }
    if (ends.isEmpty() || model.text().isEmpty()) {
      return token -> false;
    }
    TextCodec codec = model.text().get();
    return token -> {
      for (byte each : codec.bytes(token)) {
        if (each >= 0 && ends.get(each)) {
          return true;
        }
      }
      return false;
    };
  }

  private void add(ChoiceSlot slot, String path) {
    name(slot.getName(), path);
    List<String> texts = slot.getOptionsList();
    Ranges.count(problems, path + ".options", texts.size(), "options", 2, MOST_OPTIONS);
    optionCount += texts.size();
    if (optionCount > MOST_OPTIONS_OF_ALL) {
      problems.invalid(
          path + ".options",
          optionCount + " options with those before",
          "at most " + MOST_OPTIONS_OF_ALL + " in a template");
      return;
    }
    List<Option> options = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    int length = 0;
    for (int index = 0; index < texts.size() && index < MOST_OPTIONS; index++) {
      String text = texts.get(index);
      String optionPath = path + ".options[" + index + "]";
      int[] encoded = PromptReader.encode(text, optionPath, model, problems);
      if (text.isEmpty() || !seen.add(text)) {
        problems.invalid(
            optionPath, '"' + text + '"', "a text that is not empty and none of the others");
      }
      options.add(new Option(text, encoded));
      length = Math.max(length, encoded.length);
    }
    paths.add(path);
    slots.add(new Template.ChoiceSlot(slot.getName(), tokens.length, length, options));
    appendUndecided(length);
  }

  private void name(String name, String path) {
    Ranges.length(problems, path + ".name", name, 1, LONGEST_NAME);
    if (!names.add(name)) {
      problems.invalid(path + ".name", name, "a name that no other slot has");
    }
  }

  private void appendUndecided(int length) {
    int[] undecided = new int[length];
    Arrays.fill(undecided, CanvasSnapshot.NO_TOKEN);
    append(undecided);
  }

  private void append(int[] added) {
    int most = model.engine().maxPositions();
    if (added.length > most - tokens.length) {
      problems.invalid(templatePath, "over " + most + " tokens", "at most " + most + " tokens");
      return;
    }
    int start = tokens.length;
    tokens = Arrays.copyOf(tokens, start + added.length);
    System.arraycopy(added, 0, tokens, start, added.length);
  }
}
