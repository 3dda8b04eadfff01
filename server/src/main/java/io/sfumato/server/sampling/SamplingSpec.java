package io.sfumato.server.sampling;

import java.util.Arrays;
import java.util.Optional;

/**
 * How one session samples; all values are effective ones, defaults filled in.
 *
 * @param seed key of the session's noise
 * @param temperature of each step of a block
 * @param maxStepsPerBlock forward passes a block may take, >= 1; the last one accepts everything
 *     that is left
 * @param minAcceptPerStep tokens accepted per step at least, >= 1
 * @param guidanceScale classifier-free guidance; 0 for none
 * @param suppressedTokens tokens that are never chosen
 * @param unconfidentTokens tokens that may be chosen but have no confidence
 * @param countsMask whether the mask counts among the tokens, as in the references: a position for
 *     which it is chosen stays undecided, so that nothing bounds the steps of a block
 * @param uniform where undecided positions hold random tokens; empty where they hold the mask
 */
public record SamplingSpec(
    long seed,
    TemperatureSchedule temperature,
    int maxStepsPerBlock,
    int minAcceptPerStep,
    AcceptanceSpec acceptance,
    RevisionSpec revision,
    float guidanceScale,
    int[] suppressedTokens,
    int[] unconfidentTokens,
    boolean countsMask,
    Optional<UniformNoise> uniform) {

  /** The suppressed tokens, and the mask among them unless it counts as a token. */
  public int[] neverChosen(int maskToken) {
    boolean listed = countsMask;
    for (int each : suppressedTokens) {
      listed |= each == maskToken;
    }
    int[] all = Arrays.copyOf(suppressedTokens, suppressedTokens.length + (listed ? 0 : 1));
    if (!listed) {
      all[suppressedTokens.length] = maskToken;
    }
    return all;
  }
}
