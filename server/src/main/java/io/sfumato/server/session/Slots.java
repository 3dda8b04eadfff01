package io.sfumato.server.session;

import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.session.Template.ChoiceSlot;
import io.sfumato.server.session.Template.FreeSlot;
import io.sfumato.server.session.Template.Slot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Fills the slots of a template.
 *
 * <p>A choice slot is decided as a whole, in the first step in which the first undecided position
 * is one of its own: with all of the slot hidden, the score of an option is the mean of the
 * logarithms of its tokens' probabilities, so that long options are not at a disadvantage, and the
 * option with the highest score is taken, the first of equals. The options' probabilities are the
 * softmax of the scores. Shorter options are followed by padding.
 *
 * <p>A free slot ends before the first end-of-text or other token that ends it; padding follows.
 *
 * <p>Confined to the engine thread; allocates when a choice slot is decided only.
 */
final class Slots {

  private static final int NO_SLOT = -1;
  private static final double LEAST_PROBABILITY = 1e-30;
  private static final double[] NONE = {};

  private final Template template;
  private final SessionSpec spec;
  private final Canvas canvas;
  private final int[] slotOf; // [canvas] index of the slot, or NO_SLOT
  private final double[][] scored; // [slots] log probabilities of the options, once decided
  private final OptionProbes[] probes; // [slots] null for free ones
  private final boolean[] asked; // [slots] choices of the step at hand
  private final int[] ends; // [slots] first end-of-text of the free ones before the step at hand

  Slots(SessionSpec spec, Canvas canvas) {
    template = spec.template();
    this.spec = spec;
    this.canvas = canvas;
    slotOf = new int[template.isEmpty() ? 0 : canvas.length()];
    Arrays.fill(slotOf, NO_SLOT);
    scored = new double[template.slots().size()][0];
    probes = new OptionProbes[scored.length];
    asked = new boolean[scored.length];
    ends = new int[scored.length];
    for (int index = 0; index < scored.length; index++) {
      Slot slot = template.slots().get(index);
      Arrays.fill(slotOf, slot.start(), slot.end(), index);
      probes[index] = slot instanceof ChoiceSlot choice ? new OptionProbes(choice) : null;
    }
  }

  boolean isEmpty() {
    return template.isEmpty();
  }

  /** Positions before which an end-of-text does not end the canvas. */
  int requiredLength() {
    return template.requiredLength();
  }

  /** Whether the position is one of a choice slot, which is decided as a whole. */
  boolean isChoice(int position) {
    return !isEmpty() && slot(position) instanceof ChoiceSlot;
  }

  /** Whether the position is padding behind the end of a free slot; after {@link #ask}. */
  boolean isPadding(int position) {
    return !isEmpty() && slot(position) instanceof FreeSlot && ends[slotOf[position]] < position;
  }

  private Slot slot(int position) {
    int index = slotOf[position];
    return index == NO_SLOT ? null : template.slots().get(index);
  }

  /**
   * Chooses the choice slots to decide in the next step, and opens what is left of them: a part of
   * an option says nothing about the others.
   *
   * @param firstUndecided of the block; -1 for none
   * @param end positions before which everything is decided in the step, or 0
   */
  void ask(int firstUndecided, int end) {
    for (int index = 0; index < asked.length; index++) {
      Slot slot = template.slots().get(index);
      asked[index] = false;
      if (slot instanceof FreeSlot) {
        ends[index] = firstEnd(slot);
      } else {
        probes[index].clear();
        boolean due = firstUndecided >= slot.start() && firstUndecided < slot.end();
        asked[index] =
            due
                || (slot.start() < end
                    && canvas.firstUndecided(slot.start(), slot.end()) < slot.end());
      }
      for (int position = slot.start(); asked[index] && position < slot.end(); position++) {
        if (canvas.state(position) == TokenState.PROVISIONAL) {
          canvas.open(position);
        }
      }
    }
  }

  /** First position after the slots to decide in the next step; 0 when there are none. */
  int askedEnd() {
    int end = 0;
    for (int index = 0; index < asked.length; index++) {
      end = asked[index] ? template.slots().get(index).end() : end;
    }
    return end;
  }

  /** Adds the rows of one position of a choice slot, if they are wanted. */
  void request(int position, StepRows rows) {
    if (asked[slotOf[position]] && canvas.isUndecided(position)) {
      probes[slotOf[position]].request(position, rows);
    }
  }

  /** The token to write where one was sampled: padding where it ends a free slot. */
  int written(int position, int sampled) {
    return !isEmpty() && slot(position) instanceof FreeSlot slot && slot.ends().test(sampled)
        ? template.padding()
        : sampled;
  }

  /** Decides the choice slots that were asked for, and closes the free slots that have ended. */
  void decide(StepRows rows) {
    for (int index = 0; index < asked.length; index++) {
      switch (template.slots().get(index)) {
        case ChoiceSlot choice -> choose(index, choice, rows);
        case FreeSlot free -> close(free);
      }
    }
  }

  private void choose(int index, ChoiceSlot slot, StepRows rows) {
    if (!asked[index]) {
      return;
    }
    double[] scores = new double[slot.options().size()];
    int best = 0;
    for (int option = 0; option < scores.length; option++) {
      scores[option] = probes[index].score(option, rows, LEAST_PROBABILITY);
      best = scores[option] > scores[best] ? option : best;
    }
    double norm = 0;
    for (double score : scores) {
      norm += Math.exp(score - scores[best]);
    }
    double total = scores[best] + Math.log(norm);
    for (int option = 0; option < scores.length; option++) {
      scores[option] -= total;
    }
    scored[index] = scores;
    int[] tokens = slot.options().get(best).tokens();
    float confidence = (float) Math.exp(scores[best]);
    for (int position = slot.start(); position < slot.end(); position++) {
      if (canvas.isUndecided(position)) {
        int offset = position - slot.start();
        canvas.decide(
            position, offset < tokens.length ? tokens[offset] : template.padding(), confidence);
      }
    }
  }

  private void close(FreeSlot slot) {
    int end = firstEnd(slot);
    for (int position = end + 1; position < slot.end(); position++) {
      if (canvas.state(position) == TokenState.PROVISIONAL
          && canvas.token(position) != template.padding()) {
        canvas.open(position);
      }
      if (canvas.isUndecided(position)) {
        canvas.decide(position, template.padding(), canvas.confidence(end));
      }
    }
  }

  /** First decided end-of-text of a free slot, else its end. */
  private int firstEnd(Slot slot) {
    int position = slot.start();
    while (position < slot.end() && (canvas.isUndecided(position) || !isEnd(position))) {
      position++;
    }
    return position;
  }

  private boolean isEnd(int position) {
    int token = canvas.token(position);
    return token == template.padding() || spec.isEndOfText(token);
  }

  /**
   * What the slots became on a canvas that is done.
   *
   * @param length positions that the text is made of
   */
  List<SlotValue> values(int length) {
    List<SlotValue> values = new ArrayList<>(scored.length);
    for (int index = 0; index < scored.length; index++) {
      Slot slot = template.slots().get(index);
      int end = Math.max(slot.start(), Math.min(firstEnd(slot), length));
      int[] tokens = new int[end - slot.start()];
      double sum = 0;
      for (int position = slot.start(); position < end; position++) {
        tokens[position - slot.start()] = canvas.token(position);
        sum += Math.log(Math.max(canvas.confidence(position), LEAST_PROBABILITY));
      }
      values.add(
          slot instanceof ChoiceSlot choice
              ? value(choice, tokens, sum, scored[index])
              : new SlotValue(tokens, sum, NONE));
    }
    return values;
  }

  private static SlotValue value(ChoiceSlot slot, int[] tokens, double sum, double[] options) {
    for (int index = 0; index < options.length; index++) {
      if (Arrays.equals(slot.options().get(index).tokens(), tokens)) {
        return new SlotValue(tokens, options[index], options);
      }
    }
    return new SlotValue(tokens, sum, NONE);
  }
}
