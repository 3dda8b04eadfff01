package io.sfumato.server.app.bench;

import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Options of a benchmark that serves held-out requests once each: which, how many at a time, and
 * from which seed. Confined to the main thread.
 */
final class Workload {

  @Mixin private RequestChoice choice;

  @Option(
      names = "--limit",
      description = "requests per kind; 0 for all (default: 100; bench quality: 0)")
  private Integer limit;

  @Option(names = "--concurrency", defaultValue = "4", description = "requests in flight")
  private int concurrency;

  @Option(names = "--seed", defaultValue = "1", description = "seed of all random choices")
  private long seed;

  /** Requests per kind, 0 for all. */
  int limit(int otherwise) {
    return limit == null ? otherwise : limit;
  }

  /** As {@link RequestChoice#read}. */
  List<BenchRequest> read(int mostPerKind, List<String> kindsOtherwise) throws IOException {
    return choice.read(mostPerKind, kindsOtherwise);
  }

  /** Requests in flight. */
  int concurrency() {
    return concurrency;
  }

  /** Seed of sampling, and of whatever else a benchmark draws. */
  long seed() {
    return seed;
  }
}
