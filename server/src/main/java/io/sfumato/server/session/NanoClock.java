package io.sfumato.server.session;

/** A clock that never goes back; injected so that tests own the time. Thread-safe. */
@FunctionalInterface
public interface NanoClock {

  /** Nanoseconds since an arbitrary origin. */
  long nanoTime();
}
