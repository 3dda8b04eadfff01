package io.sfumato.server.verify;

/**
 * One recorded pass of the reference model over a sequence. Immutable by convention: the arrays are
 * not changed.
 *
 * @param batch label of the batch that it was recorded for; empty for none
 * @param logits rows of the model's output // [positions, vocabulary]; null where only figures were
 *     recorded
 * @param argmax per position
 * @param maxProbability per position
 * @param entropy per position, in nats
 * @param gap per position, logit of the best token less that of the runner-up
 */
record ForwardCase(
    String name,
    String batch,
    int[] tokens,
    float[] logits,
    int[] argmax,
    double[] maxProbability,
    double[] entropy,
    double[] gap) {}
