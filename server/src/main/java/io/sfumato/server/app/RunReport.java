package io.sfumato.server.app;

import io.sfumato.v1.Finished;
import io.sfumato.v1.RevisedToken;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Words for the outcome of a run. Stateless and thread-safe. */
final class RunReport {

  /** Names of what is in a {@link #row}. */
  static final String HEADER = "steps  tokens     time  tokens/s  first canvas  ended by";

  private static final int MOST_REVISED = 8;

  private RunReport() {}

  /**
   * Prints what a run came to: without a terminal the text, which a terminal shows already.
   *
   * @param summary whether to print a line about it without a terminal, too
   */
  static void print(Output output, RunOutcome outcome, boolean summary) {
    if (!output.isTerminal()) {
      output.line(text(outcome));
    }
    if (output.isTerminal() || summary) {
      output.line(Output.DIM, "  " + summary(outcome));
      if (outcome.finished().getRevisedTokensCount() > 0) {
        output.line(Output.DIM, "  " + revised(outcome.finished().getRevisedTokensList()));
      }
    }
  }

  /** The text, or the token ids of a model without a tokenizer. */
  static String text(RunOutcome outcome) {
    Finished finished = outcome.finished();
    if (!finished.getText().isEmpty()) {
      return finished.getText().strip();
    }
    List<Integer> ids = finished.getTokenIdsList();
    return ids.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  /** Steps, tokens, times and why it ended, as a row of a table. */
  static String row(RunOutcome outcome) {
    double seconds = outcome.totalNanos() / 1e9;
    int tokens = outcome.finished().getUsage().getCommittedTokens();
    return String.format(
        Locale.ROOT,
        "%5d  %6d  %5.2f s  %8.0f  %10.2f s  %s",
        outcome.steps(),
        tokens,
        seconds,
        tokens / seconds,
        outcome.firstCanvasNanos() / 1e9,
        reason(outcome.finished()));
  }

  /** One line: steps, tokens, times, why it ended, the seed. */
  static String summary(RunOutcome outcome) {
    Finished finished = outcome.finished();
    double seconds = outcome.totalNanos() / 1e9;
    int tokens = finished.getUsage().getCommittedTokens();
    return String.format(
        Locale.ROOT,
        "%d steps, %d tokens, %.2f s, %.0f tokens/s, %s, first canvas %.2f s, seed %d",
        outcome.steps(),
        tokens,
        seconds,
        tokens / seconds,
        reason(finished),
        outcome.firstCanvasNanos() / 1e9,
        outcome.accepted().getSampling().getSeed());
  }

  /** One line: the tokens that were replaced, each with the step in which that happened. */
  static String revised(List<RevisedToken> tokens) {
    String first =
        tokens.stream()
            .limit(MOST_REVISED)
            .map(token ->
                token.getFirstText().strip()
                    + " -> "
                    + token.getText().strip()
                    + " ("
                    + token.getStep()
                    + ")")
            .collect(Collectors.joining(", "));
    int more = tokens.size() - MOST_REVISED;
    return "replaced, in step: " + first + (more > 0 ? ", and " + more + " more" : "");
  }

  private static String reason(Finished finished) {
    return finished
        .getReason()
        .name()
        .replace("FINISH_REASON_", "")
        .toLowerCase(Locale.ROOT)
        .replace('_', ' ');
  }
}
