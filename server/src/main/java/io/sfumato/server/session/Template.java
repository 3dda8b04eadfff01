package io.sfumato.server.session;

import java.util.List;
import java.util.function.IntPredicate;

/**
 * The slots of a canvas whose other text is given. Immutable.
 *
 * @param slots in the order of their positions, not overlapping
 * @param padding token that fills what a slot does not need: an end-of-text, which has no text
 * @param requiredLength positions before which an end-of-text ends a slot, never the canvas
 */
public record Template(List<Slot> slots, int padding, int requiredLength) {

  /** No slots: free text. */
  public static final Template NONE = new Template(List.of(), 0, 0);

  /** Positions that the model fills. */
  public sealed interface Slot {
    String name();

    /** First canvas position. */
    int start();

    /** Number of positions, >= 1. */
    int length();

    /** First position after the slot. */
    default int end() {
      return start() + length();
    }
  }

  /**
   * Any text of at most so many tokens.
   *
   * @param ends tokens before which the text ends, as it does before an end-of-text
   */
  public record FreeSlot(String name, int start, int length, IntPredicate ends) implements Slot {}

  /**
   * One of several texts.
   *
   * @param length tokens of the longest option
   * @param options two or more, each different
   */
  public record ChoiceSlot(String name, int start, int length, List<Option> options)
      implements Slot {

    public ChoiceSlot {
      options = List.copyOf(options);
    }
  }

  /**
   * A text to choose.
   *
   * @param tokens one or more
   */
  public record Option(String text, int[] tokens) {}

  public Template {
    slots = List.copyOf(slots);
  }

  public boolean isEmpty() {
    return slots.isEmpty();
  }

  /** Candidates that one step may need for all choice slots together. */
  public int probes() {
    int count = 0;
    for (Slot slot : slots) {
      if (slot instanceof ChoiceSlot choice) {
        for (Option option : choice.options()) {
          count += option.tokens().length;
        }
      }
    }
    return count;
  }
}
