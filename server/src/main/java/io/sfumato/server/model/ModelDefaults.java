package io.sfumato.server.model;

import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;

/**
 * A model's published decoding defaults, used for every field a request leaves out.
 *
 * @param windowLength 0 for the block length
 * @param blockCausal whether positions see their own and earlier blocks only, rather than all
 */
public record ModelDefaults(
    int maxLengthTokens,
    int blockLength,
    int windowLength,
    int maxStepsPerBlock,
    int minAcceptPerStep,
    float temperature,
    AcceptanceSpec acceptance,
    RevisionSpec revision,
    int[] endOfTextTokens,
    boolean blockCausal) {

  /** Positions that see each other; 0 for all. */
  int attendingLength() {
    return blockCausal ? blockLength : 0;
  }
}
