package io.sfumato.server.session;

import io.sfumato.server.canvas.Alternatives;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.TokenState;

/** Events and controls to race with, and words for them. */
final class Samples {

  private Samples() {}

  /** A commitment, printed as its number. */
  static SessionEvent commitment(int number) {
    return new SessionEvent.BlockCommitted(number, 0, new int[0], 1);
  }

  /** A canvas, printed as 'a' for step 1, 'b' for step 2. */
  static CanvasSnapshot canvas(int step) {
    return new CanvasSnapshot(
        0,
        step,
        step,
        0,
        new int[] {1},
        new TokenState[] {TokenState.PROVISIONAL},
        new float[1],
        new Alternatives[0]);
  }

  static Control control(int number) {
    return new Control.Pause(number);
  }

  /** Fetches up to so many events and prints them. */
  static String fetch(Outbox outbox, int most) {
    StringBuilder fetched = new StringBuilder();
    for (int count = 0; count < most; count++) {
      switch (outbox.poll()) {
        case null -> {}
        case SessionEvent.BlockCommitted committed -> fetched.append(committed.block());
        case SessionEvent.CanvasChanged changed ->
            fetched.append((char) ('a' - 1 + changed.snapshot().step()));
        case SessionEvent other -> fetched.append(other);
      }
    }
    return fetched.toString();
  }

  /** The numbers of up to so many controls. */
  static String take(ControlQueue queue, int most) {
    StringBuilder taken = new StringBuilder();
    for (int count = 0; count < most; count++) {
      Control control = queue.poll();
      taken.append(control == null ? "" : control.controlId());
    }
    return taken.toString();
  }
}
