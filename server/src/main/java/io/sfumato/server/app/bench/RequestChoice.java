package io.sfumato.server.app.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Options that say which held-out requests a benchmark serves. Confined to the main thread. */
final class RequestChoice {

  @Option(
      names = "--requests",
      required = true,
      description = "JSON lines with kind, request and reference")
  private Path requests;

  @Option(
      names = "--kinds",
      split = ",",
      description = "kinds of requests (default: story; bench quality: all)")
  private List<String> kinds = List.of();

  /**
   * Reads the requests.
   *
   * @param limit requests per kind; 0 for all
   * @param kindsOtherwise kinds when none were given; empty for all
   */
  List<BenchRequest> read(int limit, List<String> kindsOtherwise) throws IOException {
    return BenchRequest.read(requests, kinds.isEmpty() ? kindsOtherwise : kinds, limit);
  }
}
