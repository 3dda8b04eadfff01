package io.sfumato.engine;

import java.util.Arrays;

/**
 * The work of one denoising step: items over flat arrays of tokens, candidate rows and pages.
 *
 * <p>Allocated once and refilled every step; confined to the engine thread.
 */
public final class StepBatch {

  private final EngineLimits limits;
  private final StepItem[] items;
  private final int[] tokens;
  private final int[] candidateRows;
  private final int[] candidateTokens;
  private final int[] pages;
  private int itemCount;
  private int tokenCount;
  private int candidateCount;
  private int pageCount;

  public StepBatch(EngineLimits limits) {
    this.limits = limits;
    items = new StepItem[limits.items()];
    Arrays.setAll(items, index -> new StepItem());
    tokens = new int[limits.batchTokens()];
    candidateRows = new int[limits.candidates()];
    candidateTokens = new int[limits.candidates()];
    pages = new int[limits.pages()];
  }

  /** Forgets all items. */
  public void clear() {
    itemCount = 0;
    tokenCount = 0;
    candidateCount = 0;
    pageCount = 0;
  }

  /**
   * Starts the next item; tokens, candidate rows and pages added from now on belong to it.
   *
   * @throws IllegalStateException when the step is full
   */
  public StepItem add(ItemKind kind, int slot, int firstPosition) {
    require(itemCount < items.length, "items", itemCount + 1, items.length);
    StepItem item = items[itemCount++];
    item.reset(kind, slot, firstPosition, tokenCount, candidateCount, pageCount);
    return item;
  }

  /** Adds a token to the last item. */
  public void addToken(int token) {
    require(tokenCount < tokens.length, "tokens", tokenCount + 1, tokens.length);
    tokens[tokenCount++] = token;
    last().grewTokens();
  }

  /** Asks for a candidate at a row of the last item: 0..tokenCount-1 of that item, ascending. */
  public void addCandidateRow(int row) {
    addCandidateRow(row, -1);
  }

  /**
   * Asks for a candidate whose input probability is that of the given token; such a row may follow
   * itself with another one.
   *
   * @param token -1 for the token that stands there
   */
  public void addCandidateRow(int row, int token) {
    require(
        candidateCount < candidateRows.length,
        "candidates",
        candidateCount + 1,
        candidateRows.length);
    candidateTokens[candidateCount] = token;
    candidateRows[candidateCount++] = row;
    last().grewCandidates();
  }

  /** Adds a page to the last item's context. */
  public void addPage(int page) {
    require(pageCount < pages.length, "pages", pageCount + 1, pages.length);
    pages[pageCount++] = page;
    last().grewPages();
  }

  public EngineLimits limits() {
    return limits;
  }

  public int itemCount() {
    return itemCount;
  }

  public StepItem item(int index) {
    if (index < 0 || index >= itemCount) {
      throw new IndexOutOfBoundsException(
          "item: " + index + " (expected: 0.." + (itemCount - 1) + ")");
    }
    return items[index];
  }

  public int tokenCount() {
    return tokenCount;
  }

  public int candidateCount() {
    return candidateCount;
  }

  public int pageCount() {
    return pageCount;
  }

  /** Token ids of all items; only the first {@link #tokenCount} are meaningful. Not a copy. */
  public int[] tokens() {
    return tokens;
  }

  /** Rows of all items; only the first {@link #candidateCount} are meaningful. Not a copy. */
  public int[] candidateRows() {
    return candidateRows;
  }

  /**
   * Token of each row whose probability is wanted, -1 for the one that stands there; only the first
   * {@link #candidateCount} are meaningful. Not a copy.
   */
  public int[] candidateTokens() {
    return candidateTokens;
  }

  /** Pages of all items; only the first {@link #pageCount} are meaningful. Not a copy. */
  public int[] pages() {
    return pages;
  }

  private StepItem last() {
    if (itemCount == 0) {
      throw new IllegalStateException(
          "items: 0 (expected: an item before its tokens, rows and pages)");
    }
    return items[itemCount - 1];
  }

  private static void require(boolean holds, String name, int value, int limit) {
    if (!holds) {
      throw new IllegalStateException(name + ": " + value + " (expected: <= " + limit + ")");
    }
  }
}
