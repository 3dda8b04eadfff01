package io.sfumato.server.schedule;

import io.sfumato.engine.EngineLimits;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.SessionSpec;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.NavigableMap;
import java.util.SequencedSet;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;

/**
 * Key-value pages that are full of finished tokens, for sessions that begin with the same ones: a
 * tree in which every path from the root is the beginning of a sequence, a page at each node.
 *
 * <p>Confined to the engine thread. A page comes in when nothing in it can change any more, and
 * nobody writes to it from then on. It is found by every token that its keys and values depend on:
 * those before the end of the block of attention in which the page ends, which are compared
 * themselves, not by a hash.
 *
 * <p>The cache is an owner of every page in it. Whoever holds one also holds those before it, so
 * pages that no session holds can be let go in the order in which sessions let them go, the last
 * page of a sequence first: none goes before those that follow it.
 */
final class PrefixCache {

  /** A page, and where the sequences go on that begin with it and those before it. */
  static final class Node {

    private final Node parent;
    private final int[] key;
    private final NavigableMap<int[], Node> next = new TreeMap<>(Arrays::compare);
    final int page;
    final int depth; // pages from the first one to this

    private Node(Node parent, int[] key, int page) {
      this.parent = parent;
      this.key = key;
      this.page = page;
      depth = parent == null ? 0 : parent.depth + 1;
    }
  }

  private final PageAllocator pages;
  private final int pageTokens;
  private final int mostUnheld;
  private final Node root = new Node(null, new int[0], -1);
  private final SequencedSet<Node> unheld = new LinkedHashSet<>(); // the next to go first

  /**
   * @param mostTokens tokens in pages that no session holds, at most; 0 to keep and share nothing
   */
  PrefixCache(PageAllocator pages, EngineLimits limits, int mostTokens) {
    this.pages = pages;
    pageTokens = limits.pageTokens();
    mostUnheld = limits.pages() == 0 ? 0 : Math.min(limits.pages(), mostTokens / pageTokens);
  }

  /**
   * Takes a session's pages: first those of the longest beginning of its prompt that is there and
   * ends with a block of attention, then free ones, for which others are let go where needed.
   *
   * @throws IllegalStateException when there are not so many
   */
  HeldPages take(SessionSpec spec, int count) {
    int[] taken = new int[count];
    Node last = mostUnheld > 0 && spec.keepsContext() ? longest(spec) : root;
    for (Node node = last; node != root; node = node.parent) {
      taken[node.depth - 1] = node.page;
      hold(node);
    }
    int own = count - last.depth;
    while (pages.free() < own && !unheld.isEmpty()) {
      dropOldest();
    }
    System.arraycopy(pages.allocate(own), 0, taken, last.depth, own);
    return new HeldPages(spec, taken, last);
  }

  private Node longest(SessionSpec spec) {
    int[] prompt = spec.promptTokens();
    Node longest = root;
    Node node = root;
    while (node != null && keyEnd(spec, node.depth + 1) <= spec.reusableTokens()) {
      node = node.next.get(key(spec, node.depth, position -> prompt[position]));
      if (node != null && keyEnd(spec, node.depth) == node.depth * pageTokens) {
        longest = node;
      }
    }
    return longest;
  }

  /**
   * Shares the pages that the session has filled.
   *
   * @param tokens finished tokens in its pages, up to the end of a block of attention
   * @param token those tokens by their positions
   */
  void share(HeldPages held, int tokens, IntUnaryOperator token) {
    while (mostUnheld > 0 && (held.shared() + 1) * pageTokens <= tokens) {
      int own = held.pages()[held.shared()];
      Node last = held.last();
      int[] key = key(held.spec(), held.shared(), token);
      Node node = last.next.get(key);
      if (node == null) {
        node = new Node(last, key, own);
        last.next.put(key, node);
        pages.retain(own);
      } else { // others have computed the same meanwhile
        hold(node);
        pages.release(own);
      }
      held.share(node);
    }
  }

  /** Takes back a session's pages; the shared ones stay until their room is needed. */
  void release(HeldPages held) {
    for (int page = held.pages().length - 1; page >= held.shared(); page--) {
      pages.release(held.pages()[page]);
    }
    for (Node node = held.last(); node != root; node = node.parent) {
      pages.release(node.page);
      if (pages.owners(node.page) == 1) {
        unheld.add(node);
      }
    }
    while (unheld.size() > mostUnheld) {
      dropOldest();
    }
  }

  /** Pages that could be let go. */
  int unheld() {
    return unheld.size();
  }

  private void hold(Node node) {
    pages.retain(node.page);
    unheld.remove(node);
  }

  private void dropOldest() {
    Node node = unheld.removeFirst();
    node.parent.next.remove(node.key);
    pages.release(node.page);
  }

  /** The position up to which tokens decide what so many of the first pages hold. */
  private int keyEnd(SessionSpec spec, int pageCount) {
    return pageCount == 0 ? 0 : spec.attending().borderAfter(pageCount * pageTokens);
  }

  /**
   * The tokens that decide what a page holds and that do not decide what those before it hold; at
   * the first page all else that a page must agree in as well.
   */
  private int[] key(SessionSpec spec, int page, IntUnaryOperator token) {
    int[] scope = page == 0 ? scope(spec) : new int[0];
    int start = keyEnd(spec, page);
    int end = keyEnd(spec, page + 1);
    int[] key = Arrays.copyOf(scope, scope.length + end - start);
    for (int position = start; position < end; position++) {
      key[scope.length + position - start] = token.applyAsInt(position);
    }
    return key;
  }

  private static int[] scope(SessionSpec spec) {
    Attending attending = spec.attending();
    String salt = spec.cacheSalt();
    int[] scope = new int[4 + salt.length()];
    scope[0] = attending.blockLength();
    scope[1] = attending.blockOffset();
    scope[2] = attending.shiftedLogits() ? 1 : 0;
    scope[3] = salt.length();
    Arrays.setAll(scope, index -> index < 4 ? scope[index] : salt.charAt(index - 4));
    return scope;
  }

  /**
   * Checks the tree, and adds up the owners that it knows of.
   *
   * @param owners of each page; takes one more for each page in the tree
   * @throws IllegalStateException naming a page that could not be let go, or is let go too early
   */
  void check(int[] owners) {
    int found = 0;
    Deque<Node> rest = new ArrayDeque<>(root.next.values());
    while (!rest.isEmpty()) {
      Node node = rest.remove();
      rest.addAll(node.next.values());
      owners[node.page]++;
      boolean isHeld = pages.owners(node.page) > 1;
      found += isHeld ? 0 : 1;
      if (isHeld == unheld.contains(node)) {
        throw new IllegalStateException(
            "page "
                + node.page
                + ": "
                + pages.owners(node.page)
                + " owners (expected: more than"
                + " the cache exactly when it may not be let go)");
      }
      if (!isHeld && node.next.values().stream().anyMatch(each -> pages.owners(each.page) > 1)) {
        throw new IllegalStateException(
            "page " + node.page + ": not held (expected: held like one that follows it)");
      }
    }
    if (found != unheld.size() || unheld.size() > mostUnheld) {
      throw new IllegalStateException(
          "pages to let go: "
              + unheld.size()
              + " (expected: "
              + found
              + ", <= "
              + mostUnheld
              + ")");
    }
  }
}
