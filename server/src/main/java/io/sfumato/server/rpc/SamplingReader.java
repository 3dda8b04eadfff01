package io.sfumato.server.rpc;

import io.sfumato.server.model.ModelDefaults;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.sampling.UniformNoise;
import io.sfumato.server.session.CacheMode;
import io.sfumato.v1.StabilityStop;
import java.util.Optional;
import java.util.function.LongSupplier;

/** Reads the contract's {@code SamplingSpec} and fills in a model's defaults. Thread-safe. */
final class SamplingReader {

  private static final int MOST_STEPS = 4096;
  private static final int MOST_TOP_K = 1024;
  private static final int MOST_REVISIONS = 255;
  private static final float DEFAULT_THRESHOLD = .9f;
  private static final float DEFAULT_BOUND = .1f;
  private static final int MOST_POST_EDITS = 64;
  private static final int MOST_STABLE_STEPS = 64;
  private static final float MOST_ENTROPY = 100;
  private static final String WITH_UNIFORM = " with a model of uniform noise";

  /** As LLaDA2.1 is published. */
  private static final AcceptanceSpec.JointEdit DEFAULT_EDIT =
      new AcceptanceSpec.JointEdit(.95f, .9f, 16);

  private static final int[] NO_TOKENS = {};

  private final LongSupplier seeds;

  /**
   * @param seeds where a seed comes from when a request has none
   */
  SamplingReader(LongSupplier seeds) {
    this.seeds = seeds;
  }

  /**
   * @param path of the spec in its request
   * @param blockLength of the session
   * @param ignoreEndOfText whether the model's end of text is never to be chosen
   */
  SamplingSpec read(
      io.sfumato.v1.SamplingSpec spec,
      String path,
      ModelDefaults defaults,
      int blockLength,
      boolean ignoreEndOfText,
      Problems problems) {
    refuseNotBuilt(spec, path, problems);
    Budget budget = budget(spec, path, defaults, problems);
    int minAccept = Math.min(defaults.minAcceptPerStep(), blockLength);
    if (spec.hasMinAcceptPerStep()) {
      minAccept =
          Ranges.integer(
              problems, path + ".min_accept_per_step", spec.getMinAcceptPerStep(), 1, blockLength);
    }
    float guidance = 0;
    if (spec.hasGuidanceScale()) {
      guidance = Ranges.number(problems, path + ".guidance_scale", spec.getGuidanceScale(), 0, 20);
    }
    if (guidance > 0 && defaults.encodesContext()) {
      problems.capability(
          path + ".guidance_scale", guidance, "0 with a model that sees one block at a time");
    }
    return new SamplingSpec(
        spec.hasSeed() ? spec.getSeed() : seeds.getAsLong(),
        temperature(spec, path, defaults, problems),
        budget.maxStepsPerBlock(),
        minAccept,
        budget.acceptance(),
        revision(spec, path, defaults, problems),
        guidance,
        ignoreEndOfText ? defaults.endOfTextTokens() : NO_TOKENS,
        NO_TOKENS,
        false,
        uniform(spec, path, defaults, problems));
  }

  private static TemperatureSchedule temperature(
      io.sfumato.v1.SamplingSpec spec, String path, ModelDefaults defaults, Problems problems) {
    if (spec.hasTemperatureSchedule()) {
      String field = path + ".temperature_schedule";
      if (spec.hasTemperature()) {
        problems.invalid(field, "set", "absent with temperature");
      }
      io.sfumato.v1.TemperatureSchedule schedule = spec.getTemperatureSchedule();
      return new TemperatureSchedule(
          temperature(schedule.hasFirst(), schedule.getFirst(), field + ".first", problems),
          temperature(schedule.hasLast(), schedule.getLast(), field + ".last", problems));
    }
    return spec.hasTemperature()
        ? TemperatureSchedule.constant(
            temperature(true, spec.getTemperature(), path + ".temperature", problems))
        : defaults.temperature();
  }

  private static float temperature(boolean given, float value, String path, Problems problems) {
    String expected = "0, or " + TemperatureSchedule.LEAST + "..2";
    if (!given) {
      problems.invalid(path, "absent", expected);
    }
    float temperature = Ranges.number(problems, path, value, 0, 2);
    if (temperature > 0 && temperature < TemperatureSchedule.LEAST) {
      problems.invalid(path, temperature, expected);
    }
    return temperature;
  }

  private static Optional<UniformNoise> uniform(
      io.sfumato.v1.SamplingSpec spec, String path, ModelDefaults defaults, Problems problems) {
    if (!spec.hasStabilityStop()) {
      return defaults.uniform();
    }
    String field = path + ".stability_stop";
    if (!defaults.isUniform()) {
      problems.capability(field, "set", "absent with a model whose noise is a mask");
      return Optional.empty();
    }
    StabilityStop stop = spec.getStabilityStop();
    UniformNoise usual = defaults.uniform().orElseThrow();
    int steps = usual.stableSteps();
    if (stop.hasStableSteps()) {
      steps =
          Ranges.integer(
              problems, field + ".stable_steps", stop.getStableSteps(), 0, MOST_STABLE_STEPS);
    }
    float entropy = usual.meanEntropy();
    if (stop.hasMeanEntropy()) {
      entropy =
          Ranges.number(problems, field + ".mean_entropy", stop.getMeanEntropy(), 0, MOST_ENTROPY);
    }
    return Optional.of(new UniformNoise(steps, entropy));
  }

  /**
   * What steps take over from earlier ones; the model must be able to.
   *
   * @param path of the spec in its request
   */
  static CacheMode cache(
      io.sfumato.v1.SamplingSpec spec, String path, ServedModel model, Problems problems) {
    String field = path + ".approximate_cache";
    CacheMode cache =
        switch (spec.getApproximateCache()) {
          case APPROXIMATE_CACHE_UNSPECIFIED, APPROXIMATE_CACHE_NONE -> CacheMode.NONE;
          case APPROXIMATE_CACHE_PREFIX -> CacheMode.PREFIX;
          case APPROXIMATE_CACHE_DUAL -> CacheMode.DUAL;
          case UNRECOGNIZED -> {
            problems.invalid(field, spec.getApproximateCacheValue(), "a value of ApproximateCache");
            yield CacheMode.NONE;
          }
        };
    if (cache == CacheMode.NONE) {
      return cache;
    }
    if (model.defaults().blockCausal() || model.defaults().encodesContext()) {
      problems.capability(field, cache, "NONE, the model keeps finished blocks exactly");
    } else if (!model.engine().approximateCache()) {
      problems.capability(field, cache, "NONE, the model has no approximate cache");
    } else if (spec.getGuidanceScale() != 0) {
      problems.notBuilt(field, cache + " with guidance_scale");
    }
    return cache;
  }

  /** What a step accepts, and how many steps a block may take. */
  record Budget(int maxStepsPerBlock, AcceptanceSpec acceptance) {}

  /**
   * The budget alone.
   *
   * @param path of the message that holds its fields
   */
  static Budget budget(
      io.sfumato.v1.SamplingSpec spec, String path, ModelDefaults defaults, Problems problems) {
    int maxSteps = maxSteps(spec, path, defaults, problems);
    return new Budget(maxSteps, acceptance(spec, path, defaults, maxSteps, problems));
  }

  private static void refuseNotBuilt(
      io.sfumato.v1.SamplingSpec spec, String path, Problems problems) {
    if (spec.hasTopP() && Ranges.share(problems, path + ".top_p", spec.getTopP()) != 1) {
      problems.notBuilt(path + ".top_p", spec.getTopP());
    }
    if (spec.hasTopK()
        && Ranges.integer(problems, path + ".top_k", spec.getTopK(), 0, MOST_TOP_K) != 0) {
      problems.notBuilt(path + ".top_k", spec.getTopK());
    }
    if (spec.hasRepetitionPenalty()
        && Ranges.number(
                problems, path + ".repetition_penalty", spec.getRepetitionPenalty(), .5f, 2)
            != 1) {
      problems.notBuilt(path + ".repetition_penalty", spec.getRepetitionPenalty());
    }
    if (spec.getLogitBiasCount() > 0) {
      problems.notBuilt(path + ".logit_bias", spec.getLogitBiasCount() + " entries");
    }
  }

  private static int maxSteps(
      io.sfumato.v1.SamplingSpec spec, String path, ModelDefaults defaults, Problems problems) {
    if (spec.hasMaxStepsPerBlock()) {
      return Ranges.integer(
          problems, path + ".max_steps_per_block", spec.getMaxStepsPerBlock(), 1, MOST_STEPS);
    }
    int steps = spec.getFixedSchedule().getSteps();
    return steps <= MOST_STEPS ? Math.max(defaults.maxStepsPerBlock(), steps) : MOST_STEPS;
  }

  private static AcceptanceSpec acceptance(
      io.sfumato.v1.SamplingSpec spec,
      String path,
      ModelDefaults defaults,
      int maxSteps,
      Problems problems) {
    return switch (spec.getAcceptanceCase()) {
      case FIXED_SCHEDULE ->
          fixedSchedule(
              spec.getFixedSchedule(), path + ".fixed_schedule", defaults, maxSteps, problems);
      case CONFIDENCE_THRESHOLD -> {
        float threshold = DEFAULT_THRESHOLD;
        if (spec.getConfidenceThreshold().hasThreshold()) {
          String field = path + ".confidence_threshold.threshold";
          threshold = Ranges.share(problems, field, spec.getConfidenceThreshold().getThreshold());
        } else if (defaults.acceptance() instanceof AcceptanceSpec.ConfidenceThreshold usual) {
          threshold = usual.threshold();
        }
        yield new AcceptanceSpec.ConfidenceThreshold(threshold);
      }
      case ENTROPY_BOUND -> {
        float bound = DEFAULT_BOUND;
        if (spec.getEntropyBound().hasBound()) {
          bound =
              Ranges.number(
                  problems,
                  path + ".entropy_bound.bound",
                  spec.getEntropyBound().getBound(),
                  0,
                  MOST_ENTROPY);
        } else if (defaults.acceptance() instanceof AcceptanceSpec.EntropyBound usual) {
          bound = usual.bound();
        }
        yield new AcceptanceSpec.EntropyBound(bound);
      }
      case JOINT_EDIT -> {
        if (defaults.isUniform()) {
          problems.capability(path + ".joint_edit", "set", "absent" + WITH_UNIFORM);
        }
        yield jointEdit(spec.getJointEdit(), path + ".joint_edit", defaults, problems);
      }
      case ACCEPTANCE_NOT_SET -> defaults.acceptance();
    };
  }

  private static AcceptanceSpec jointEdit(
      io.sfumato.v1.JointEdit edit, String path, ModelDefaults defaults, Problems problems) {
    AcceptanceSpec.JointEdit usual =
        defaults.acceptance() instanceof AcceptanceSpec.JointEdit own ? own : DEFAULT_EDIT;
    float threshold = usual.threshold();
    if (edit.hasThreshold()) {
      threshold = Ranges.share(problems, path + ".threshold", edit.getThreshold());
    }
    float editThreshold = usual.editThreshold();
    if (edit.hasEditThreshold()) {
      editThreshold = Ranges.share(problems, path + ".edit_threshold", edit.getEditThreshold());
    }
    int steps = usual.postEditSteps();
    if (edit.hasPostEditSteps()) {
      steps =
          Ranges.integer(
              problems, path + ".post_edit_steps", edit.getPostEditSteps(), 0, MOST_POST_EDITS);
    }
    return new AcceptanceSpec.JointEdit(threshold, editThreshold, steps);
  }

  private static AcceptanceSpec fixedSchedule(
      io.sfumato.v1.FixedSchedule schedule,
      String path,
      ModelDefaults defaults,
      int maxSteps,
      Problems problems) {
    int steps = maxSteps;
    AcceptanceSpec.Order order = AcceptanceSpec.Order.CONFIDENCE;
    AcceptanceSpec.Spread spread = AcceptanceSpec.Spread.EVEN;
    if (defaults.acceptance() instanceof AcceptanceSpec.FixedSchedule usual) {
      steps = Math.min(usual.stepsPerBlock(), maxSteps);
      order = usual.order();
      spread = usual.spread();
    }
    if (schedule.hasSteps()) {
      steps = Ranges.integer(problems, path + ".steps", schedule.getSteps(), 1, maxSteps);
    }
    switch (schedule.getOrder()) {
      case ORDER_UNSPECIFIED -> {}
      case ORDER_CONFIDENCE -> order = AcceptanceSpec.Order.CONFIDENCE;
      case ORDER_MARGIN -> order = AcceptanceSpec.Order.MARGIN;
      case ORDER_ENTROPY -> order = AcceptanceSpec.Order.ENTROPY;
      case ORDER_RANDOM -> order = AcceptanceSpec.Order.RANDOM;
      case ORDER_LEFTMOST -> order = AcceptanceSpec.Order.LEFTMOST;
      case UNRECOGNIZED ->
          problems.invalid(
              path + ".order", schedule.getOrderValue(), "a value of FixedSchedule.Order");
    }
    return new AcceptanceSpec.FixedSchedule(steps, order, spread);
  }

  private static RevisionSpec revision(
      io.sfumato.v1.SamplingSpec spec, String path, ModelDefaults defaults, Problems problems) {
    if (!spec.hasRevision()) {
      return defaults.revision();
    }
    io.sfumato.v1.Revision revision = spec.getRevision();
    float threshold = defaults.revision().remaskThreshold();
    if (revision.hasRemaskThreshold()) {
      threshold =
          Ranges.number(
              problems, path + ".revision.remask_threshold", revision.getRemaskThreshold(), 0, 1);
    }
    int most = Math.max(1, defaults.revision().maxRevisionsPerToken());
    if (revision.hasMaxRevisionsPerToken()) {
      most =
          Ranges.integer(
              problems,
              path + ".revision.max_revisions_per_token",
              revision.getMaxRevisionsPerToken(),
              0,
              MOST_REVISIONS);
    }
    if (defaults.isUniform()) {
      if (threshold > 0) {
        problems.capability(path + ".revision.remask_threshold", threshold, "0" + WITH_UNIFORM);
      }
      return RevisionSpec.NONE;
    }
    return new RevisionSpec(threshold, most);
  }
}
