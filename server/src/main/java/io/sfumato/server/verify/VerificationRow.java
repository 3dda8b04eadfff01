package io.sfumato.server.verify;

import java.util.Locale;

/**
 * The result of one recorded case. Immutable.
 *
 * @param name kind and name of the case, e.g. {@code trace gen16_b16_s16}
 * @param largestError of a forward case the largest absolute error of logits, probabilities and
 *     entropies; of a trace the number of tokens that differ
 * @param detail what was compared, or where it differs
 */
public record VerificationRow(String name, Outcome outcome, double largestError, String detail) {

  /** How a case ended. */
  public enum Outcome {
    PASS,
    FAIL,
    /** The record was made by a sampler that the server does not have: reported, not required. */
    SKIPPED
  }

  /** One line: outcome, name, largest error, detail. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT, "%-6s  %-42s  %8.1e  %s", outcome, name, largestError, detail);
  }
}
