package io.sfumato.server.verify;

import tools.jackson.databind.JsonNode;

/**
 * One recorded decoding of the reference. Immutable by convention: the arrays are not changed.
 *
 * @param algorithm sampler of the reference, e.g. {@code llada.generate}
 * @param parameters of the sampler, by its own names
 * @param canvases whole sequences, the mask at undecided positions; the first before any step, one
 *     after each step
 * @param result the generated part
 * @param noise random tokens of canvases of uniform noise // [canvas][step from 0][position]; empty
 *     for those of a mask
 */
record DecodeTrace(
    String name,
    String algorithm,
    JsonNode parameters,
    int[] prompt,
    int[][] canvases,
    int[] result,
    int[][][] noise) {}
