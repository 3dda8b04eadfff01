package io.sfumato.server.app.bench.policies;

import io.sfumato.server.model.EngineFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato bench policies}: acceptance policies compared on recorded candidates. Lives on the
 * main thread.
 */
@Command(
    name = "policies",
    mixinStandardHelpOptions = true,
    description = "Records what a model proposes, and replays acceptance policies against it.")
public final class PoliciesCommand implements Runnable {

  @Spec private CommandSpec spec;

  private PoliciesCommand() {}

  /** The command with its subcommands. */
  public static CommandLine commandLine(EngineFactory engines) {
    return new CommandLine(new PoliciesCommand())
        .addSubcommand(new PolicyRecordCommand(engines))
        .addSubcommand(new PolicyReplayCommand(engines));
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "policies: none (expected: one of those below)");
  }
}
