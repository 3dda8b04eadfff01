package io.sfumato.server.model;

import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.sampling.UniformNoise;

/**
 * What the generation_config.json of a model of uniform noise says of its decoding, in the keys of
 * DiffusionGemma. Immutable.
 *
 * @param temperature from {@code t_max} towards {@code t_min}, which no step reaches
 * @param noise {@code stability_threshold} and {@code confidence_threshold}
 */
record UniformDefaults(
    int maxLength,
    int maxSteps,
    TemperatureSchedule temperature,
    AcceptanceSpec.EntropyBound acceptance,
    UniformNoise noise) {

  private static final String ENTROPY_BOUND = "EntropyBoundSamplerConfig";
  private static final int USUAL_STEPS = 48; // as DiffusionGemma is published, like the others
  private static final float USUAL_BOUND = .1f;
  private static final float LOWEST_TEMPERATURE = .4f;
  private static final float HIGHEST_TEMPERATURE = .8f;
  private static final float USUAL_MEAN_ENTROPY = .005f;

  /**
   * @param config generation_config.json
   * @param usualLength when it names none
   */
  static UniformDefaults read(
      JsonSection config, int usualLength, int maxPositions, int mostSteps, float mostTemperature) {
    int steps = config.integer("max_denoising_steps", 1, mostSteps, USUAL_STEPS);
    float low = config.number("t_min", 0, mostTemperature, LOWEST_TEMPERATURE);
    float high = config.number("t_max", 0, mostTemperature, HIGHEST_TEMPERATURE);
    JsonSection sampler = config.section("sampler_config");
    String kind = sampler.text("_cls_name").orElse(ENTROPY_BOUND);
    if (!kind.equals(ENTROPY_BOUND)) {
      sampler.unexpected("_cls_name", kind, ENTROPY_BOUND);
    }
    float bound = sampler.number("entropy_bound", 0, 100, USUAL_BOUND);
    return new UniformDefaults(
        config.integer("max_new_tokens", 1, maxPositions, usualLength),
        steps,
        new TemperatureSchedule(high, (float) (low + ((double) high - low) / steps)),
        new AcceptanceSpec.EntropyBound(bound),
        new UniformNoise(
            config.integer("stability_threshold", 0, 64, 1),
            config.number("confidence_threshold", 0, 100, USUAL_MEAN_ENTROPY)));
  }
}
