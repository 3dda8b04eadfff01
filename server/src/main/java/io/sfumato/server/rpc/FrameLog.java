package io.sfumato.server.rpc;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.Control;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;

/** Which canvas a client saw in which of its last frames. Confined to one call. */
final class FrameLog {

  /** A control about an older frame than this many ago is refused. */
  static final int REMEMBERED = 256;

  private final Deque<Control.Basis> last = new ArrayDeque<>();
  private int frame;

  /** Notes a frame; one call for each, in order. */
  void sent(CanvasSnapshot snapshot) {
    frame++;
    last.addLast(new Control.Basis(snapshot.changes(), snapshot.count(TokenState.COMMITTED)));
    if (last.size() > REMEMBERED) {
      last.removeFirst();
    }
  }

  /**
   * The canvas of a frame; empty for 0.
   *
   * @throws ServingException INVALID_FIELD for a frame that was not sent, STALE_FRAME for one that
   *     is forgotten
   */
  Optional<Control.Basis> basis(int basisFrame, Problems problems) {
    if (basisFrame == 0) {
      return Optional.empty();
    }
    if (basisFrame < 0 || basisFrame > frame) {
      problems.invalid("control.basis_frame", basisFrame, "0.." + frame);
      return Optional.empty();
    }
    int oldest = frame - last.size() + 1;
    if (basisFrame < oldest) {
      throw new ServingException(
          ErrorReason.STALE_FRAME,
          "control.basis_frame: " + basisFrame + " (expected: " + oldest + ".." + frame + ")");
    }
    return last.stream().skip(basisFrame - oldest).findFirst();
  }
}
