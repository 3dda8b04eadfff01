package io.sfumato.server.schedule;

import io.sfumato.engine.EngineLimits;
import io.sfumato.server.session.KeptSequence;
import io.sfumato.server.session.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * The sessions that hold a slot, the one that has waited longest for a step first, and the slots
 * and pages they hold.
 *
 * <p>Confined to the engine thread.
 */
final class RunningSessions {

  private final EngineLimits limits;
  private final AdmissionQueue queue;
  private final LoadGauge load;
  private final PageAllocator pages;
  private final PrefixCache prefixes;
  private final SlotPool slots;
  private final IntConsumer resetSlot;
  private List<Seat> seats = new ArrayList<>();
  private List<Seat> left = new ArrayList<>();

  /**
   * @param resetSlot makes the engine forget what it keeps for a slot
   * @param prefixCacheTokens most tokens that the pages of ended sessions keep
   */
  RunningSessions(
      EngineLimits limits,
      AdmissionQueue queue,
      LoadGauge load,
      IntConsumer resetSlot,
      int prefixCacheTokens) {
    this.limits = limits;
    this.queue = queue;
    this.load = load;
    this.resetSlot = resetSlot;
    pages = new PageAllocator(limits.pages());
    prefixes = new PrefixCache(pages, limits, prefixCacheTokens);
    slots = new SlotPool(limits.slots());
  }

  /** Gives a session its slot and pages; the queue has made sure that they are there. */
  void seat(Session session, int pageCount, long nowNanos) {
    HeldPages held = prefixes.take(session.spec(), pageCount);
    int reused = held.shared() * limits.pageTokens();
    session.sequence().reuse(reused);
    seats.add(new Seat(session, slots.take(), held, nowNanos));
    load.seated(seats.size(), reused);
  }

  /** Shares what the session's last step has finished with those to come. */
  void share(Seat seat) {
    KeptSequence sequence = seat.session().sequence();
    prefixes.share(seat.pages(), sequence.held(), sequence::token);
  }

  /** Takes slots and pages back from sessions that are over, and lets the queue grant them anew. */
  void removeEnded(long nowNanos) {
    int kept = 0;
    for (int index = 0; index < seats.size(); index++) {
      Seat seat = seats.get(index);
      if (seat.session().state().isOver()) {
        release(seat, nowNanos);
      } else {
        seats.set(kept++, seat);
      }
    }
    while (seats.size() > kept) {
      seats.removeLast();
    }
    load.running(kept);
  }

  private void release(Seat seat, long nowNanos) {
    load.ended(seat.session().state(), nowNanos - seat.startNanos());
    prefixes.release(seat.pages());
    slots.release(seat.slot());
    resetSlot.accept(seat.slot());
    queue.release(seat.pages().pages().length);
  }

  /** Chooses the sessions of the next step; they go to the end of the line. */
  void plan(List<Seat> chosen) {
    StepPlanner.plan(seats, limits, chosen, left);
    left.addAll(chosen);
    List<Seat> emptied = seats;
    seats = left;
    left = emptied;
    left.clear();
  }

  int count() {
    return seats.size();
  }

  /** Tokens of one step of every session that takes steps, guidance apart. */
  long tokens() {
    long tokens = 0;
    for (int index = 0; index < seats.size(); index++) {
      if (seats.get(index).wantsStep()) {
        tokens += seats.get(index).session().spec().usualTokens();
      }
    }
    return tokens;
  }

  Session session(int index) {
    return seats.get(index).session();
  }

  /**
   * @throws IllegalStateException when a slot or page is lost or held twice
   */
  void check() {
    checkPages();
    if (slots.free() + seats.size() != limits.slots()) {
      throw new IllegalStateException(
          "slots: " + slots.free() + " free (expected: " + (limits.slots() - seats.size()) + ")");
    }
    int freePages = pages.free() + prefixes.unheld();
    if (queue.freeSlots() > slots.free() || queue.freePages() > freePages) {
      throw new IllegalStateException(
          "queue: "
              + queue.freeSlots()
              + " slots, "
              + queue.freePages()
              + " pages free (expected: <= "
              + slots.free()
              + ", "
              + freePages
              + ")");
    }
  }

  private void checkPages() {
    pages.check();
    int[] owners = new int[limits.pages()];
    prefixes.check(owners);
    for (Seat seat : seats) {
      for (int page : seat.pages().pages()) {
        owners[page]++;
      }
    }
    for (int page = 0; page < owners.length; page++) {
      if (owners[page] != pages.owners(page)) {
        throw new IllegalStateException(
            "page "
                + page
                + ": "
                + pages.owners(page)
                + " owners (expected: "
                + owners[page]
                + ")");
      }
    }
  }
}
