package io.sfumato.server.sampling;

import io.sfumato.server.sampling.AcceptanceSpec.Order;
import io.sfumato.server.sampling.AcceptanceSpec.Spread;

/**
 * A number of tokens per step that is known before the first one. From the last step of the
 * schedule on, everything left is accepted.
 *
 * <p>EVEN is the schedule of LLaDA (arXiv 2502.09992, generate.py), LINEAR that of masked diffusion
 * with a linear noise schedule (MDLM, arXiv 2406.07524) as dllm's sampler rounds it, TRUNCATED the
 * one of Dream (arXiv 2508.15487, generation_utils.py).
 */
record FixedSchedule(AcceptanceSpec.FixedSchedule spec) implements AcceptancePolicy {

  private static final float LEAST_NOISE = 1e-3f;

  @Override
  public Order order() {
    return spec.order();
  }

  @Override
  public int accepted(Ranking ranked, int undecidedAtStart, int step) {
    return quota(undecidedAtStart, spec.stepsPerBlock(), spec.spread(), step);
  }

  @Override
  public int kept(Ranking ranked, int step) {
    int kept = 0;
    for (int each = 1; each <= step && kept < ranked.count(); each++) {
      int quota = quota(ranked.count(), spec.stepsPerBlock(), spec.spread(), each);
      kept += Math.min(quota, ranked.count() - kept);
    }
    return kept;
  }

  /** Tokens of the given step, from 1; Integer.MAX_VALUE from the last step of the schedule on. */
  static int quota(int undecided, int steps, Spread spread, int step) {
    return switch (spread) {
      case EVEN ->
          step >= steps
              ? Integer.MAX_VALUE
              : undecided / steps + (step <= undecided % steps ? 1 : 0);
      case LINEAR -> linearQuota(undecided, steps, step);
      case TRUNCATED -> truncatedQuota(undecided, steps, step);
    };
  }

  private static int linearQuota(int undecided, int steps, int step) {
    int left = undecided;
    int nonEmptySteps = 0;
    for (int time = steps; time > 1; time--) {
      // The reference forms the masked share 1 - (1 - t) in float32; t itself rounds some quotas
      // differently.
      float stays =
          (1f - (1f - (float) ((time - 1) / (double) steps)))
              / (1f - (1f - (float) (time / (double) steps)));
      int tokens = Math.min((int) Math.rint(left * (1.0 - stays)), left);
      left -= tokens;
      if (tokens > 0) {
        nonEmptySteps++;
      }
      if (tokens > 0 && nonEmptySteps == step) {
        return left == 0 ? Integer.MAX_VALUE : tokens;
      }
    }
    return Integer.MAX_VALUE;
  }

  private static int truncatedQuota(int undecided, int steps, int step) {
    int left = undecided;
    int nonEmptySteps = 0;
    for (int time = 0; time + 1 < steps; time++) {
      int tokens = (int) (left * (1f - noise(time + 1, steps) / noise(time, steps)));
      left -= tokens;
      nonEmptySteps += tokens > 0 ? 1 : 0;
      if (tokens > 0 && nonEmptySteps == step) {
        return tokens;
      }
    }
    return Integer.MAX_VALUE;
  }

  /** From 1 to the least noise in equal steps, counted from the nearer end as PyTorch does. */
  private static float noise(int time, int steps) {
    float part = (LEAST_NOISE - 1f) / steps;
    return time < (steps + 1) / 2 ? 1f + part * time : LEAST_NOISE - part * (steps - time);
  }
}
