package io.sfumato.engine;

/**
 * Facts about a loaded model and the engine that runs it.
 *
 * @param family name of the model family, e.g. {@code llada}
 * @param instructionSet kernels in use, e.g. {@code avx2}
 * @param products matrix products in use
 * @param vocabulary token ids are 0..vocabulary-1
 * @param maxPositions positions are 0..maxPositions-1, prompt and canvas together
 * @param maskTokenId id the model reads at an undecided position; -1 when config.json names none
 * @param endOfTextTokenId -1 when config.json names none
 * @param padTokenId -1 when config.json names none
 * @param attention which keys a canvas position sees
 * @param keyValueCache whether PREFILL and COMMIT items are possible that keep what would be
 *     computed again
 * @param approximateCache whether they are possible for tokens that all see each other
 * @param shiftedLogits whether the output at a position is about the token after it ({@link
 *     StepItem#shiftedLogits})
 * @param blockLength positions of a block that the model was trained with; 0 when config.json names
 *     none
 * @param threads threads of the engine, the caller's included
 * @param weightBytes bytes of the weights as the engine holds them
 * @param stateBytes bytes of pages, slot state and work space
 * @param device where it computes
 */
public record EngineInfo(
    String family,
    String instructionSet,
    String products,
    int vocabulary,
    int hiddenSize,
    int layers,
    int maxPositions,
    int maskTokenId,
    int endOfTextTokenId,
    int padTokenId,
    AttentionKind attention,
    boolean keyValueCache,
    boolean approximateCache,
    boolean shiftedLogits,
    int blockLength,
    int threads,
    long parameters,
    long weightBytes,
    long stateBytes,
    EngineDevice device) {}
