package io.sfumato.server.verify;

/**
 * One recorded pass of the reference model over a sequence. Immutable by convention: the arrays are
 * not changed.
 *
 * @param batch label of the batch that it was recorded for; empty for none
 * @param encodes whether the rows are a causal encoder's own
 * @param prompt context that a causal encoder has read before; empty where there is none
 * @param conditioning logits that the pass is conditioned on, those of the case before over a
 *     temperature // [positions, vocabulary]; null for none
 * @param blockLength positions that see each other, and what is before them; 0 when all do
 * @param blockOffset columns of padding before the first token, which count for blocks, less whole
 *     blocks
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
    boolean encodes,
    int[] prompt,
    float[] conditioning,
    int blockLength,
    int blockOffset,
    float[] logits,
    int[] argmax,
    double[] maxProbability,
    double[] entropy,
    double[] gap) {

  /** Tokens whose keys and values the engine keeps. */
  int kept() {
    return encodes ? tokens.length : prompt.length;
  }
}
