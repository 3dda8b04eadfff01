package io.sfumato.server.model;

import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.sampling.UniformNoise;
import java.util.Optional;

/**
 * A model's published decoding defaults, used for every field a request leaves out.
 *
 * @param windowLength 0 for the block length
 * @param longestBlock positions that a model denoises together which encodes its context before; 0
 *     for the others
 * @param blockCausal whether positions see their own and earlier blocks only, rather than all
 * @param uniform where undecided positions hold random tokens, which also fixes the block length;
 *     empty where they hold the mask
 */
public record ModelDefaults(
    int maxLengthTokens,
    int blockLength,
    int windowLength,
    int maxStepsPerBlock,
    int minAcceptPerStep,
    TemperatureSchedule temperature,
    AcceptanceSpec acceptance,
    RevisionSpec revision,
    int[] endOfTextTokens,
    int longestBlock,
    boolean blockCausal,
    Optional<UniformNoise> uniform) {

  /** Whether undecided positions hold random tokens. */
  public boolean isUniform() {
    return uniform.isPresent();
  }

  /** Whether the context is encoded causally, and the block at work sees it and itself. */
  public boolean encodesContext() {
    return longestBlock > 0;
  }

  /** Positions that see each other; 0 for all. */
  int attendingLength() {
    return blockCausal ? blockLength : 0;
  }
}
