package io.sfumato.server.schedule;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.Session;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Where sessions wait for a place in the engine: bounded, first come, first served.
 *
 * <p>Thread-safe. It also counts the engine's free slots and pages, so that a session is told at
 * once whether it runs or waits, and one that was told it runs can rely on it.
 */
final class AdmissionQueue {

  private record Entry(Session session, int pages) {}

  private final int capacity;
  private final Deque<Entry> waiting = new ArrayDeque<>();
  private final List<Session> granted = new ArrayList<>();
  private final List<Entry> sweep = new ArrayList<>(); // engine thread
  private int freeSlots;
  private int freePages;
  private ErrorReason closedReason;
  private String closedMessage;

  /**
   * @param capacity most sessions that may wait
   */
  AdmissionQueue(int slots, int pages, int capacity) {
    freeSlots = slots;
    freePages = pages;
    this.capacity = capacity;
  }

  /**
   * Grants a place or queues the session, and announces that to it.
   *
   * @param pages key-value pages it will hold
   * @param retryAfterNanos when a refused client may try again
   * @throws ServingException QUEUE_FULL, or the reason given to {@link #close}; the session knows
   *     nothing then
   */
  synchronized void offer(Session session, int pages, long retryAfterNanos) {
    if (closedReason != null) {
      throw new ServingException(closedReason, closedMessage);
    }
    if (waiting.isEmpty() && freeSlots > 0 && freePages >= pages) {
      session.announce(0);
      grant(session, pages);
      return;
    }
    if (waiting.size() >= capacity) {
      throw new ServingException(
          ErrorReason.QUEUE_FULL,
          "queue: " + (capacity + 1) + " sessions (expected: <= " + capacity + ")",
          List.of(),
          Map.of("limit", Integer.toString(capacity)),
          retryAfterNanos,
          null);
    }
    session.announce(waiting.size() + 1);
    waiting.add(new Entry(session, pages));
  }

  /** Moves the sessions that have a place now to the given list. Called by the engine thread. */
  synchronized void drainGranted(List<Session> into) {
    into.addAll(granted);
    granted.clear();
  }

  /** Gives back a place, and grants it to whoever waits longest. */
  synchronized void release(int pages) {
    freeSlots++;
    freePages += pages;
    while (!waiting.isEmpty() && freeSlots > 0 && freePages >= waiting.peek().pages()) {
      Entry next = waiting.remove();
      grant(next.session(), next.pages());
    }
  }

  private void grant(Session session, int pages) {
    freeSlots--;
    freePages -= pages;
    granted.add(session);
  }

  /**
   * Lets go of waiting sessions that were cancelled or have expired, and tells the others where
   * they stand. Called by the engine thread.
   */
  void sweep() {
    synchronized (this) {
      if (waiting.isEmpty()) {
        return;
      }
      sweep.addAll(waiting);
    }
    boolean gone = false;
    int position = 0;
    for (Entry entry : sweep) {
      if (entry.session().boundary()) {
        entry.session().queuedAt(++position);
      } else {
        gone = true;
      }
    }
    sweep.clear();
    if (gone) {
      removeEnded();
    }
  }

  private synchronized void removeEnded() {
    for (Iterator<Entry> iterator = waiting.iterator(); iterator.hasNext(); ) {
      if (iterator.next().session().state().isOver()) {
        iterator.remove();
      }
    }
  }

  /** Refuses all further sessions; those that wait keep waiting. The first reason counts. */
  synchronized void close(ErrorReason reason, String message) {
    if (closedReason == null) {
      closedReason = reason;
      closedMessage = message;
    }
  }

  /** Takes away all sessions that wait. */
  synchronized List<Session> removeWaiting() {
    List<Session> removed = waiting.stream().map(Entry::session).toList();
    waiting.clear();
    return removed;
  }

  synchronized int waiting() {
    return waiting.size();
  }

  synchronized int freeSlots() {
    return freeSlots;
  }

  synchronized int freePages() {
    return freePages;
  }
}
