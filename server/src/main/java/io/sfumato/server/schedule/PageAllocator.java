package io.sfumato.server.schedule;

/**
 * Key-value pages of one engine and how many owners each has: a page is free again when the last
 * one lets it go.
 *
 * <p>Confined to the engine thread.
 */
final class PageAllocator {

  private final int[] owners;
  private final int[] free; // stack of free pages
  private int freeCount;

  PageAllocator(int pages) {
    owners = new int[pages];
    free = new int[pages];
    for (int page = pages - 1; page >= 0; page--) {
      free[freeCount++] = page;
    }
  }

  int free() {
    return freeCount;
  }

  /** Owners of a page. */
  int owners(int page) {
    return owners[page];
  }

  /**
   * Takes free pages, each with one owner.
   *
   * @throws IllegalStateException when there are not so many; nothing is taken then
   */
  int[] allocate(int count) {
    if (count > freeCount) {
      throw new IllegalStateException("pages: " + count + " (expected: <= " + freeCount + " free)");
    }
    int[] pages = new int[count];
    for (int index = 0; index < count; index++) {
      int page = free[--freeCount];
      owners[page] = 1;
      pages[index] = page;
    }
    return pages;
  }

  /** Adds an owner to a page that has one. */
  void retain(int page) {
    requireOwned(page);
    owners[page]++;
  }

  /** Takes an owner away. */
  void release(int page) {
    requireOwned(page);
    owners[page]--;
    if (owners[page] == 0) {
      free[freeCount++] = page;
    }
  }

  void release(int[] pages) {
    for (int page : pages) {
      release(page);
    }
  }

  /**
   * Checks that every page is either free, once, or owned.
   *
   * @throws IllegalStateException naming the first page that is not
   */
  void check() {
    boolean[] isFree = new boolean[owners.length];
    for (int index = 0; index < freeCount; index++) {
      if (isFree[free[index]]) {
        throw new IllegalStateException("page " + free[index] + ": free twice (expected: once)");
      }
      isFree[free[index]] = true;
    }
    for (int page = 0; page < owners.length; page++) {
      if (isFree[page] != (owners[page] == 0)) {
        throw new IllegalStateException(
            "page " + page + ": " + owners[page] + " owners (expected: none exactly when free)");
      }
    }
  }

  private void requireOwned(int page) {
    if (page < 0 || page >= owners.length || owners[page] == 0) {
      throw new IllegalStateException("page: " + page + " (expected: one with an owner)");
    }
  }
}
