package io.sfumato.server.sampling;

import java.util.Arrays;

/**
 * How one session samples; all values are effective ones, defaults filled in.
 *
 * @param seed key of the session's noise
 * @param temperature 0 takes the most probable token
 * @param maxStepsPerBlock forward passes a block may take, >= 1; the last one accepts everything
 *     that is left
 * @param minAcceptPerStep tokens accepted per step at least, >= 1
 * @param guidanceScale classifier-free guidance; 0 for none
 * @param suppressedTokens tokens that are never chosen
 * @param unconfidentTokens tokens that may be chosen but have no confidence
 */
public record SamplingSpec(
    long seed,
    float temperature,
    int maxStepsPerBlock,
    int minAcceptPerStep,
    AcceptanceSpec acceptance,
    RevisionSpec revision,
    float guidanceScale,
    int[] suppressedTokens,
    int[] unconfidentTokens) {

  /** The suppressed tokens and one more, each once. */
  public int[] suppressedTokensAnd(int token) {
    for (int each : suppressedTokens) {
      if (each == token) {
        return suppressedTokens.clone();
      }
    }
    int[] all = Arrays.copyOf(suppressedTokens, suppressedTokens.length + 1);
    all[suppressedTokens.length] = token;
    return all;
  }
}
