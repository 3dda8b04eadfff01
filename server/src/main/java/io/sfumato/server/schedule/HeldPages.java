package io.sfumato.server.schedule;

import io.sfumato.server.session.SessionSpec;

/**
 * The key-value pages of a running session, the first ones of which may be shared with others.
 *
 * <p>Confined to the engine thread; changed by {@link PrefixCache} only.
 */
final class HeldPages {

  private final SessionSpec spec;
  private final int[] pages;
  private PrefixCache.Node last;

  /**
   * @param last of the shared pages; the cache's root when there are none
   */
  HeldPages(SessionSpec spec, int[] pages, PrefixCache.Node last) {
    this.spec = spec;
    this.pages = pages;
    this.last = last;
  }

  SessionSpec spec() {
    return spec;
  }

  /** All of them, in the order of the sequence; none for families without a cache. Not a copy. */
  int[] pages() {
    return pages;
  }

  /** How many of the first pages are in the cache; nobody writes to these. */
  int shared() {
    return last.depth;
  }

  PrefixCache.Node last() {
    return last;
  }

  /** The first page that was not shared is so now, as that of the node after the last one. */
  void share(PrefixCache.Node node) {
    last = node;
    pages[shared() - 1] = node.page;
  }
}
