package io.sfumato.server.schedule;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.UniformNoise;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.SessionSpec;

/**
 * What a session may ask of a model whose undecided positions hold random tokens, beside the rules
 * for all models. Pure functions; thread-safe.
 */
final class UniformRules {

  private static final int MOST_STABLE_STEPS = 64;

  private UniformRules() {}

  /**
   * @param blockLength positions of the model's canvas
   * @throws ServingException MODEL_CAPABILITY or INVALID_FIELD naming what is wrong
   */
  static void check(SessionSpec spec, int blockLength) {
    SamplingSpec sampling = spec.sampling();
    UniformNoise noise =
        sampling
            .uniform()
            .orElseThrow(() ->
                ServingException.invalidField(
                    "uniform", "absent", "set, the model's noise is uniform"));
    require(
        spec.attending().equals(Attending.CAUSAL), "attending", spec.attending(), Attending.CAUSAL);
    require(
        spec.blockLength() == blockLength, "block_length_tokens", spec.blockLength(), blockLength);
    require(
        spec.windowLength() >= blockLength, "window_length_tokens", spec.windowLength(), "none");
    require(spec.template().isEmpty(), "template", "set", "none");
    require(sampling.guidanceScale() == 0, "guidance_scale", sampling.guidanceScale(), 0);
    require(
        !sampling.revision().enabled(),
        "remask_threshold",
        sampling.revision().remaskThreshold(),
        "0, every step decides anew");
    boolean decidesOnce =
        sampling.acceptance() instanceof AcceptanceSpec.FixedSchedule
            || sampling.acceptance() instanceof AcceptanceSpec.ConfidenceThreshold
            || sampling.acceptance() instanceof AcceptanceSpec.EntropyBound;
    require(
        decidesOnce,
        "acceptance",
        sampling.acceptance(),
        "a fixed schedule, a confidence threshold or an entropy bound");
    checkStart(spec.start());
    if (noise.stableSteps() < 0
        || noise.stableSteps() > MOST_STABLE_STEPS
        || !(noise.meanEntropy() >= 0)) {
      throw ServingException.invalidField(
          "stability_stop", noise, "0.." + MOST_STABLE_STEPS + " steps and a mean entropy >= 0");
    }
  }

  private static void checkStart(CanvasStart start) {
    int[] tokens = start.tokens().clone();
    for (CanvasStart.NoisySpan span : start.reopened()) {
      for (int offset = 0; span.noise() == 1 && offset < span.length(); offset++) {
        tokens[span.start() + offset] = CanvasSnapshot.NO_TOKEN;
      }
    }
    for (int position = 0; position < tokens.length; position++) {
      boolean stands = tokens[position] != CanvasSnapshot.NO_TOKEN && !start.pinned()[position];
      require(!stands, "canvas[" + position + "]", "a draft's", "pinned, or of a noise of 1");
    }
  }

  private static void require(boolean holds, String name, Object value, Object expected) {
    if (!holds) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          name + ": " + value + " (expected: " + expected + " with a model of uniform noise)");
    }
  }
}
