package io.sfumato.server.session;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/**
 * Controls that wait for the next step boundary. A control counts until its answer has been
 * fetched, so that a client that asks without listening is stopped too. Thread-safe.
 */
final class ControlQueue {

  static final int CAPACITY = 64;

  private final Deque<Control> waiting = new ArrayDeque<>();
  private int unanswered;
  private boolean closed;

  /**
   * @throws ServingException TOO_MANY_CONTROLS when 64 wait or are answered but not fetched,
   *     CONTROL_NOT_APPLICABLE when the session is over; never for internal ones
   */
  synchronized void offer(Control control) {
    if (isInternal(control)) {
      if (closed
          || waiting.stream()
              .anyMatch(other -> isInternal(other) && other.getClass() == control.getClass())) {
        return; // the first of a kind counts, and there are few kinds
      }
    } else if (closed) {
      throw tooLate();
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

  /** The next control without taking it, or null. */
  synchronized Control peek() {
    return waiting.peek();
  }

  /** An answer was fetched. */
  synchronized void answered() {
    unanswered--;
  }

  /** Takes no more controls; the client's that were never applied. */
  synchronized List<Control> close() {
    closed = true;
    List<Control> left = waiting.stream().filter(control -> !isInternal(control)).toList();
    waiting.clear();
    return left;
  }

  static boolean isInternal(Control control) {
    return control.controlId() < 0;
  }

  /** The answer to a control that came after the last step. */
  static ServingException tooLate() {
    return new ServingException(
        ErrorReason.CONTROL_NOT_APPLICABLE, "control: too late (expected: before the end)");
  }
}
