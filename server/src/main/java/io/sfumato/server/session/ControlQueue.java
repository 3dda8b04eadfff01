package io.sfumato.server.session;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Controls that wait for the next step boundary. A control counts until its answer has been
 * fetched, so that a client that asks without listening is stopped too. Thread-safe.
 */
final class ControlQueue {

  static final int CAPACITY = 64;

  private final Deque<Control> waiting = new ArrayDeque<>();
  private int unanswered;

  /**
   * @throws ServingException TOO_MANY_CONTROLS when 64 wait or are answered but not fetched; never
   *     for internal ones
   */
  synchronized void offer(Control control) {
    if (isInternal(control)) {
      if (waiting.stream()
          .anyMatch(other -> isInternal(other) && other.getClass() == control.getClass())) {
        return; // the first of a kind counts, and there are few kinds
      }
    } else if (unanswered >= CAPACITY) {
      throw new ServingException(
          ErrorReason.TOO_MANY_CONTROLS,
          "controls: "
              + (unanswered + 1)
              + " (expected: <= "
              + CAPACITY
              + " without a fetched answer)");
    } else {
      unanswered++;
    }
    waiting.add(control);
  }

  /** The next control, or null. */
  synchronized Control poll() {
    return waiting.poll();
  }

  /** An answer was fetched. */
  synchronized void answered() {
    unanswered--;
  }

  static boolean isInternal(Control control) {
    return control.controlId() < 0;
  }
}
