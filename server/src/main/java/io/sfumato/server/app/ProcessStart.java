package io.sfumato.server.app;

import java.time.Instant;

/** When this process began, by the wall clock. Thread-safe. */
final class ProcessStart {

  private static final String STARTED =
      "sfumato.started"; // milliseconds since 1970, set by the launcher

  private ProcessStart() {}

  /**
   * Milliseconds since 1970: when the launcher was done with building, else when the operating
   * system made the process.
   */
  static long millis() {
    Long launched = Long.getLong(STARTED);
    if (launched != null) {
      return launched;
    }
    return ProcessHandle.current()
        .info()
        .startInstant()
        .map(Instant::toEpochMilli)
        .orElseGet(System::currentTimeMillis);
  }
}
