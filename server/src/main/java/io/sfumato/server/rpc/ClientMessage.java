package io.sfumato.server.rpc;

import io.sfumato.v1.Control;
import java.util.function.Supplier;

/** What a client says in a call, whichever method it called. Immutable. */
sealed interface ClientMessage {

  /**
   * The beginning.
   *
   * @param plan reads and checks the request; throws {@link
   *     io.sfumato.server.error.ServingException}
   */
  record Start(Supplier<SessionPlan> plan) implements ClientMessage {}

  /** A wish. */
  record Wish(Control control) implements ClientMessage {}

  /** The receipt of a frame and all before it. */
  record Receipt(int frame) implements ClientMessage {}

  /** A message in which nothing is set that this server knows. */
  record Nothing() implements ClientMessage {}
}
