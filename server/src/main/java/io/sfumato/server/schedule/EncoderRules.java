package io.sfumato.server.schedule;

import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.Template.ChoiceSlot;
import io.sfumato.server.session.Template.Slot;

/**
 * What a session may ask of a model that denoises a block of masks over a context that it has
 * encoded causally, beside the rules for all models. It sees one block at a time. Pure functions;
 * thread-safe.
 */
final class EncoderRules {

  private EncoderRules() {}

  /**
   * @param longestBlock positions that the model denoises together
   * @throws ServingException MODEL_CAPABILITY or INVALID_FIELD naming what is wrong
   */
  static void check(SessionSpec spec, int longestBlock) {
    require(
        spec.attending().equals(Attending.CAUSAL), "attending", spec.attending(), Attending.CAUSAL);
    if (spec.blockLength() > longestBlock) {
      throw ServingException.invalidField(
          "block_length_tokens", spec.blockLength(), "1.." + longestBlock);
    }
    float guidance = spec.sampling().guidanceScale();
    require(guidance == 0, "guidance_scale", guidance, 0);
    for (CanvasStart.NoisySpan span : spec.start().reopened()) {
      boolean isWhole = span.noise() == 0 || span.noise() == 1;
      require(
          isWhole || spec.start().length() <= spec.blockLength(),
          "segments.noise",
          span.noise(),
          "0, 1, or a canvas of one block");
    }
    for (Slot slot : spec.template().slots()) {
      int last = slot.end() - 1;
      require(
          slot.start() / spec.blockLength() == last / spec.blockLength()
              || !(slot instanceof ChoiceSlot),
          "choice_slot " + slot.name(),
          "tokens " + slot.start() + ".." + last,
          "within one block of " + spec.blockLength());
    }
  }

  private static void require(boolean holds, String name, Object value, Object expected) {
    if (!holds) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          name + ": " + value + " (expected: " + expected + " with a model that sees one block)");
    }
  }
}
