package io.sfumato.server.app;

import java.time.Duration;

/**
 * How a server ends. Immutable.
 *
 * @param finish time for running sessions to end by themselves; after it they commit their best
 *     guess
 * @param grace time for their last messages to reach the clients; after it connections are cut
 */
record Drain(Duration finish, Duration grace) {

  static final Drain USUAL = new Drain(Duration.ofSeconds(20), Duration.ofSeconds(5));

  /** For servers whose only client is in the same process. */
  static final Drain AT_ONCE = new Drain(Duration.ZERO, Duration.ofSeconds(1));
}
