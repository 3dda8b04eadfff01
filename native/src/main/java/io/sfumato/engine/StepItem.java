package io.sfumato.engine;

import static java.util.Objects.requireNonNull;

/**
 * One piece of work of a step: a run of tokens at consecutive positions, and the rows of it for
 * which candidates are wanted.
 *
 * <p>Mutable and reused by {@link StepBatch}; confined to the engine thread. Ranges are checked by
 * the engine when the batch runs.
 */
public final class StepItem {

  private static final int[] NO_TOKENS = {};

  private ItemKind kind = ItemKind.DENOISE;
  private int slot;
  private int firstPosition;
  private int tokenOffset;
  private int tokenCount;
  private int candidateOffset;
  private int candidateCount;
  private int pageOffset;
  private int pageCount;
  private int contextTokens;
  private int block;
  private int step;
  private long seed;
  private float temperature;
  private int guidanceItem;
  private float guidanceScale;
  private boolean temperedProbabilities;
  private boolean shiftedLogits;
  private int blockLength;
  private int blockOffset;
  private int commitTokens;
  private int followingTokens;
  private int topCount;
  private int[] suppressedTokens = NO_TOKENS;
  private int[] unconfidentTokens = NO_TOKENS;

  StepItem() {}

  void reset(
      ItemKind newKind,
      int newSlot,
      int newFirstPosition,
      int newTokenOffset,
      int newCandidateOffset,
      int newPageOffset) {
    kind = requireNonNull(newKind, "kind");
    slot = newSlot;
    firstPosition = newFirstPosition;
    tokenOffset = newTokenOffset;
    tokenCount = 0;
    candidateOffset = newCandidateOffset;
    candidateCount = 0;
    pageOffset = newPageOffset;
    pageCount = 0;
    contextTokens = 0;
    block = 0;
    step = 1;
    seed = 0;
    temperature = 0;
    guidanceItem = -1;
    guidanceScale = 0;
    temperedProbabilities = false;
    shiftedLogits = false;
    blockLength = 0;
    blockOffset = 0;
    commitTokens = 0;
    followingTokens = 0;
    topCount = 0;
    suppressedTokens = NO_TOKENS;
    unconfidentTokens = NO_TOKENS;
  }

  void grewTokens() {
    tokenCount++;
  }

  void grewCandidates() {
    candidateCount++;
  }

  void grewPages() {
    pageCount++;
  }

  /**
   * Coordinates of the item's randomness: Philox key, block of the canvas from 0, step within the
   * block from 1.
   */
  public StepItem randomness(long newSeed, int newBlock, int newStep) {
    seed = newSeed;
    block = newBlock;
    step = newStep;
    return this;
  }

  /** 0 takes the most probable token. */
  public StepItem temperature(float newTemperature) {
    temperature = newTemperature;
    return this;
  }

  /** Probabilities and entropies are those after division by the temperature. */
  public StepItem temperedProbabilities(boolean newTemperedProbabilities) {
    temperedProbabilities = newTemperedProbabilities;
    return this;
  }

  /**
   * A candidate's logits are those of the row before; at position 0 its own. The item must hold the
   * row before.
   */
  public StepItem shiftedLogits(boolean newShiftedLogits) {
    shiftedLogits = newShiftedLogits;
    return this;
  }

  /**
   * Tokens see those of their own and of earlier blocks; position p belongs to block {@code (p +
   * offset) / length}.
   *
   * @param newBlockLength 0 when all see each other
   * @param newBlockOffset 0..length-1
   */
  public StepItem blocks(int newBlockLength, int newBlockOffset) {
    blockLength = newBlockLength;
    blockOffset = newBlockOffset;
    return this;
  }

  /**
   * Leading tokens whose keys and values a COMMIT writes, up to the end of a block, or anywhere
   * where all tokens see each other; those behind them are a canvas that sees them.
   */
  public StepItem commitTokens(int newCommitTokens) {
    commitTokens = newCommitTokens;
    return this;
  }

  /**
   * Classifier-free guidance: {@code u + (scale + 1)(c - u)}, with u from the rows of another item
   * of the same length.
   */
  public StepItem guidance(int newGuidanceItem, float newGuidanceScale) {
    guidanceItem = newGuidanceItem;
    guidanceScale = newGuidanceScale;
    return this;
  }

  /**
   * Tokens behind the item's own that its pages hold, behind the context and what the item's own
   * tokens take the place of. DENOISE where all tokens see each other.
   */
  public StepItem followingTokens(int newFollowingTokens) {
    followingTokens = newFollowingTokens;
    return this;
  }

  /** Tokens already held by the item's pages. */
  public StepItem contextTokens(int newContextTokens) {
    contextTokens = newContextTokens;
    return this;
  }

  /** Alternatives wanted per candidate. */
  public StepItem topCount(int newTopCount) {
    topCount = newTopCount;
    return this;
  }

  /** Tokens that are never chosen. The array is not copied. */
  public StepItem suppressedTokens(int[] newSuppressedTokens) {
    suppressedTokens = requireNonNull(newSuppressedTokens, "suppressedTokens");
    return this;
  }

  /** Tokens that may be chosen but have no confidence. The array is not copied. */
  public StepItem unconfidentTokens(int[] newUnconfidentTokens) {
    unconfidentTokens = requireNonNull(newUnconfidentTokens, "unconfidentTokens");
    return this;
  }

  public ItemKind kind() {
    return kind;
  }

  public int slot() {
    return slot;
  }

  public int firstPosition() {
    return firstPosition;
  }

  /** Where the item's tokens start in the batch. */
  public int tokenOffset() {
    return tokenOffset;
  }

  public int tokenCount() {
    return tokenCount;
  }

  /** Where the item's rows start in the batch, and in the candidates. */
  public int candidateOffset() {
    return candidateOffset;
  }

  public int candidateCount() {
    return candidateCount;
  }

  public int pageOffset() {
    return pageOffset;
  }

  public int pageCount() {
    return pageCount;
  }

  public int contextTokens() {
    return contextTokens;
  }

  public int block() {
    return block;
  }

  public int step() {
    return step;
  }

  public long seed() {
    return seed;
  }

  public float temperature() {
    return temperature;
  }

  public int guidanceItem() {
    return guidanceItem;
  }

  public float guidanceScale() {
    return guidanceScale;
  }

  public boolean temperedProbabilities() {
    return temperedProbabilities;
  }

  public boolean shiftedLogits() {
    return shiftedLogits;
  }

  public int blockLength() {
    return blockLength;
  }

  public int blockOffset() {
    return blockOffset;
  }

  public int commitTokens() {
    return commitTokens;
  }

  public int followingTokens() {
    return followingTokens;
  }

  public int topCount() {
    return topCount;
  }

  public int[] suppressedTokens() {
    return suppressedTokens;
  }

  public int[] unconfidentTokens() {
    return unconfidentTokens;
  }
}
