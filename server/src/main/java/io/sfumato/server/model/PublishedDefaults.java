package io.sfumato.server.model;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineInfo;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a model decodes by when a request does not say: its family's habits, then the {@code
 * sfumato} section of its generation_config.json. Stateless and thread-safe.
 *
 * <pre>{@code
 * "sfumato": {
 *   "attention": "full",
 *   "max_length_tokens": 256,
 *   "block_length_tokens": 32,
 *   "window_length_tokens": 32,
 *   "max_steps_per_block": 64,
 *   "min_accept_per_step": 1,
 *   "temperature": 0,
 *   "acceptance": {"confidence_threshold": 0.9},
 *   "revision": {"remask_threshold": 0.1, "max_revisions_per_token": 1},
 *   "end_of_text_token_ids": [1]
 * }
 * }</pre>
 *
 * <p>With a family of uniform noise the block is the model's canvas, and length, steps, temperature
 * and acceptance are those of {@link UniformDefaults} where the section does not say.
 *
 * <p>With a family of masks over an encoded context the block may be no longer than the model's.
 *
 * <p>{@code attention} is {@code full} or {@code block_causal}, where the family does not say.
 *
 * <p>{@code acceptance} holds one of {@code confidence_threshold}, {@code entropy_bound}, {@code
 * joint_edit} and {@code fixed_schedule}; {@code joint_edit} is {@code {"threshold": 0.9,
 * "edit_threshold": 0.9, "post_edit_steps": 16}}, the last {@code {"steps_per_block": 32, "order":
 * "confidence", "spread": "even"}}.
 */
final class PublishedDefaults {

  private static final int USUAL_CANVAS = 256;
  private static final int USUAL_BLOCK = 32;
  private static final float USUAL_THRESHOLD = 0.9f; // Fast-dLLM (arXiv 2505.22618)
  private static final int MAX_STEPS = 4096;
  private static final int MAX_REVISIONS = 255;
  private static final int MAX_POST_EDIT_STEPS = 64;
  private static final float MAX_TEMPERATURE = 2;
  private static final float MAX_ENTROPY_BOUND = 100;

  private PublishedDefaults() {}

  /**
   * @throws ServingException MODEL_CAPABILITY with everything that is wrong, one problem per line
   */
  static ModelDefaults read(ModelDirectory directory, EngineInfo info) {
    List<String> problems = new ArrayList<>();
    JsonSection section =
        new JsonSection(
            "generation_config.json sfumato", directory.generation().path("sfumato"), problems);
    int usualLength = Math.min(USUAL_CANVAS, Math.max(1, directory.maxPositions() / 2));
    Optional<UniformDefaults> uniform = uniform(directory, info, usualLength, problems);
    int maxLength =
        section.integer(
            "max_length_tokens",
            1,
            directory.maxPositions(),
            uniform.map(UniformDefaults::maxLength).orElse(usualLength));
    boolean blockCausal = blockCausal(section, info.attention());
    boolean encodesContext = info.attention() == AttentionKind.ENCODER_CANVAS;
    int longestBlock = encodesContext ? info.blockLength() : 0;
    int usualBlock = Math.min(USUAL_BLOCK, maxLength);
    if (blockCausal || encodesContext) {
      usualBlock = info.blockLength() > 0 ? info.blockLength() : USUAL_BLOCK;
    }
    int blockLength = info.blockLength();
    int windowLength = 0;
    if (uniform.isEmpty()) {
      int most = encodesContext ? longestBlock : directory.maxPositions();
      blockLength = section.integer("block_length_tokens", 1, most, usualBlock);
      windowLength = section.integer("window_length_tokens", 0, directory.maxPositions(), 0);
    }
    int usualSteps = Math.min(2 * blockLength, MAX_STEPS);
    int maxSteps =
        section.integer(
            "max_steps_per_block",
            1,
            MAX_STEPS,
            uniform.map(UniformDefaults::maxSteps).orElse(usualSteps));
    int minAccept = section.integer("min_accept_per_step", 1, blockLength, 1);
    TemperatureSchedule temperature =
        section.has("temperature") || uniform.isEmpty()
            ? TemperatureSchedule.constant(section.number("temperature", 0, MAX_TEMPERATURE, 0))
            : uniform.get().temperature();
    AcceptanceSpec usual =
        uniform.isPresent()
            ? uniform.get().acceptance()
            : new AcceptanceSpec.ConfidenceThreshold(USUAL_THRESHOLD);
    AcceptanceSpec acceptance = acceptance(section.section("acceptance"), usual, maxSteps);
    RevisionSpec revision =
        uniform.isPresent() ? RevisionSpec.NONE : revision(section.section("revision"));
    if (uniform.isPresent() && acceptance instanceof AcceptanceSpec.JointEdit) {
      section.unexpected("acceptance", "joint_edit", "another one with this family");
    }
    int[] ends = section.tokens("end_of_text_token_ids");
    ends = ends == null ? directory.endOfTextTokens() : ends;
    for (int token : ends) {
      if (token >= info.vocabulary()) {
        section.unexpected("end_of_text_token_ids", token, "0.." + (info.vocabulary() - 1));
      }
    }
    section.refuseOthers();
    if (!problems.isEmpty()) {
      throw new ServingException(ErrorReason.MODEL_CAPABILITY, String.join("\n", problems));
    }
    return new ModelDefaults(
        maxLength,
        blockLength,
        windowLength,
        maxSteps,
        minAccept,
        temperature,
        acceptance,
        revision,
        ends,
        longestBlock,
        blockCausal,
        uniform.map(UniformDefaults::noise));
  }

  private static Optional<UniformDefaults> uniform(
      ModelDirectory directory, EngineInfo info, int usualLength, List<String> problems) {
    if (info.attention() != AttentionKind.ENCODER_CANVAS || info.maskTokenId() >= 0) {
      return Optional.empty();
    }
    JsonSection config =
        new JsonSection("generation_config.json", directory.generation(), problems);
    return Optional.of(
        UniformDefaults.read(
            config, usualLength, directory.maxPositions(), MAX_STEPS, MAX_TEMPERATURE));
  }

  private enum Attention {
    FULL,
    BLOCK_CAUSAL
  }

  private static boolean blockCausal(JsonSection section, AttentionKind family) {
    Attention usual =
        family == AttentionKind.BLOCK_CAUSAL ? Attention.BLOCK_CAUSAL : Attention.FULL;
    Attention attention = section.choice("attention", Attention.class, usual);
    if (attention != usual && family != AttentionKind.FULL_OR_BLOCK_CAUSAL) {
      section.unexpected(
          "attention",
          attention.name().toLowerCase(Locale.ROOT),
          usual.name().toLowerCase(Locale.ROOT) + " with this family");
    }
    return attention == Attention.BLOCK_CAUSAL;
  }

  private static AcceptanceSpec acceptance(
      JsonSection section, AcceptanceSpec usual, int maxSteps) {
    AcceptanceSpec result = usual;
    int kinds = 0;
    if (section.has("confidence_threshold")) {
      kinds++;
      result =
          new AcceptanceSpec.ConfidenceThreshold(
              section.number("confidence_threshold", 0, 1, USUAL_THRESHOLD));
    }
    if (section.has("entropy_bound")) {
      kinds++;
      result =
          new AcceptanceSpec.EntropyBound(section.number("entropy_bound", 0, MAX_ENTROPY_BOUND, 0));
    }
    if (section.has("fixed_schedule")) {
      kinds++;
      JsonSection schedule = section.section("fixed_schedule");
      result =
          new AcceptanceSpec.FixedSchedule(
              schedule.integer("steps_per_block", 1, maxSteps, maxSteps),
              schedule.choice("order", AcceptanceSpec.Order.class, AcceptanceSpec.Order.CONFIDENCE),
              schedule.choice("spread", AcceptanceSpec.Spread.class, AcceptanceSpec.Spread.EVEN));
      schedule.refuseOthers();
    }
    if (section.has("joint_edit")) {
      kinds++;
      JsonSection edit = section.section("joint_edit");
      result =
          new AcceptanceSpec.JointEdit(
              edit.number("threshold", 0, 1, USUAL_THRESHOLD),
              edit.number("edit_threshold", 0, 1, USUAL_THRESHOLD),
              edit.integer("post_edit_steps", 0, MAX_POST_EDIT_STEPS, MAX_POST_EDIT_STEPS / 4));
      edit.refuseOthers();
    }
    section.refuseOthers();
    if (kinds > 1) {
      section.unexpected("fixed_schedule", kinds + " kinds of acceptance", "one");
    }
    return result;
  }

  private static RevisionSpec revision(JsonSection section) {
    float threshold = section.number("remask_threshold", 0, 1, 0);
    int revisions =
        section.integer("max_revisions_per_token", 0, MAX_REVISIONS, threshold > 0 ? 1 : 0);
    section.refuseOthers();
    return new RevisionSpec(threshold, revisions);
  }
}
