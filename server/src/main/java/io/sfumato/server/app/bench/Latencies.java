package io.sfumato.server.app.bench;

import java.util.Arrays;
import java.util.stream.LongStream;

/** Measured times, in order of size. Immutable. */
final class Latencies {

  private final long[] sorted; // nanoseconds

  private Latencies(long[] sorted) {
    this.sorted = sorted;
  }

  /**
   * @param nanos at least one
   */
  static Latencies of(LongStream nanos) {
    long[] sorted = nanos.sorted().toArray();
    if (sorted.length == 0) {
      throw new IllegalArgumentException("latencies: none (expected: at least one)");
    }
    return new Latencies(sorted);
  }

  /** As {@link #of(LongStream)}, of an array that is left as it is. */
  static Latencies of(long[] nanos) {
    return of(Arrays.stream(nanos));
  }

  /** How many were measured. */
  int count() {
    return sorted.length;
  }

  /**
   * A quantile, in milliseconds.
   *
   * @param share 0 for the least, 1 for the most
   */
  double millis(double share) {
    return sorted[(int) Math.round(share * (sorted.length - 1))] / 1e6;
  }
}
