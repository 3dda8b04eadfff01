package io.sfumato.server.session;

/**
 * What a slot of a template became. Immutable.
 *
 * @param tokens its text, without padding
 * @param logProbability natural logarithm of the model's probability of it: for a free slot the sum
 *     over its tokens, each as the model saw it last; for a choice slot that of the option
 * @param optionLogProbabilities of the options of a choice slot, whose probabilities sum to 1;
 *     empty for a free slot, and for a choice slot that the client has filled
 */
public record SlotValue(int[] tokens, double logProbability, double[] optionLogProbabilities) {}
