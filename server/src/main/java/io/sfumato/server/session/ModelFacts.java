package io.sfumato.server.session;

/**
 * What a session knows of the model that it asks. Immutable.
 *
 * @param maskToken token that the model reads at undecided positions; -1 where they hold random
 *     ones
 * @param vocabulary random tokens are 0..vocabulary-1
 * @param maxPositions of prompt and canvas together
 * @param chunkTokens most tokens of a step that only writes keys and values
 */
public record ModelFacts(int maskToken, int vocabulary, int maxPositions, int chunkTokens) {}
