package io.sfumato.server.model;

import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;

/**
 * A model's published decoding defaults, used for every field a request leaves out.
 *
 * @param windowLength 0 for the block length
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
    int[] endOfTextTokens) {}
