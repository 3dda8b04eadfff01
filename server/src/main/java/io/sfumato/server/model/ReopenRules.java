package io.sfumato.server.model;

import java.time.Duration;
import java.util.List;

/**
 * When a model whose engine has failed is opened again. Immutable.
 *
 * @param delays before each attempt; after as many attempts the model stays FAILED
 * @param steady how long an engine must have run for its failure to count as the first again
 */
public record ReopenRules(List<Duration> delays, Duration steady) {

  /** A GPU's reset takes seconds; what has not come back after four minutes will not. */
  public static final ReopenRules USUAL =
      new ReopenRules(
          List.of(
              Duration.ofSeconds(1),
              Duration.ofSeconds(4),
              Duration.ofSeconds(15),
              Duration.ofSeconds(60),
              Duration.ofSeconds(180)),
          Duration.ofMinutes(30));

  public ReopenRules {
    delays = List.copyOf(delays);
  }
}
