package io.sfumato.server.app;

import io.sfumato.server.app.recording.RecordedLine;
import io.sfumato.server.app.recording.RecordingReader;
import io.sfumato.v1.Event;
import io.sfumato.v1.Status;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Plays a recorded run to a follower. Confined to one thread. */
final class Replay {

  /** A clock that starts with the replay. */
  @FunctionalInterface
  interface Pacing {
    /** Shows everything at once. */
    Pacing INSTANT = nanos -> {};

    /** Waits until so long after the start of the replay. */
    void await(long nanos) throws InterruptedException;

    /**
     * The pace of the recording.
     *
     * @param speed times as fast, above 0
     */
    static Pacing recorded(double speed, Pacing clock) {
      return nanos -> clock.await((long) (nanos / speed));
    }

    /** The wall clock, from now on. */
    static Pacing wallClock() {
      long start = System.nanoTime();
      return nanos -> {
        long left = nanos - (System.nanoTime() - start);
        if (left > 0) {
          Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
        }
      };
    }
  }

  private final Path file;
  private final List<RecordedLine> lines;

  /**
   * @param file where the lines come from
   * @param lines as {@link RecordingReader} returns them
   */
  Replay(Path file, List<RecordedLine> lines) {
    this.file = file;
    this.lines = lines;
  }

  /** Plays all events. */
  void play(RunFollower follower, Pacing pacing) throws InterruptedException {
    for (RecordedLine line : lines) {
      if (line.message() instanceof Event event) {
        pacing.await(line.nanos());
        try {
          follower.accept(event, line.nanos());
        } catch (IllegalStateException e) {
          throw RecordingReader.malformed(file, line.number(), e.getMessage());
        }
      }
    }
  }

  /** How the call ended; nothing when the recording ends before. */
  Optional<Status> status() {
    return lines.getLast().message() instanceof Status status
        ? Optional.of(status)
        : Optional.empty();
  }

  /** From the request to the end, in nanoseconds. */
  long totalNanos() {
    return lines.getLast().nanos();
  }
}
