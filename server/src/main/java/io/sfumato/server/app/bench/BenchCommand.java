package io.sfumato.server.app.bench;

import io.sfumato.server.app.bench.policies.PoliciesCommand;
import io.sfumato.server.model.EngineFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code sfumato bench}: measurements that anyone can repeat. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Measures a server, or everything around an engine.")
public final class BenchCommand implements Runnable {

  @Spec private CommandSpec spec;

  private BenchCommand() {}

  /** The command with its subcommands. */
  public static CommandLine commandLine(EngineFactory engines) {
    return new CommandLine(new BenchCommand())
        .addSubcommand(new BenchControls(engines))
        .addSubcommand(new BenchInfill(engines))
        .addSubcommand(new BenchLoad(engines))
        .addSubcommand(new BenchOverhead())
        .addSubcommand(PoliciesCommand.commandLine(engines))
        .addSubcommand(new BenchPrefix(engines))
        .addSubcommand(new BenchQuality(engines))
        .addSubcommand(new BenchSlowReader())
        .addSubcommand(new BenchSteering(engines))
        .addSubcommand(new BenchStep(engines))
        .addSubcommand(new BenchTemplates(engines));
  }

  /**
   * Checks an option.
   *
   * @throws ParameterException when it is out of range
   */
  static void require(CommandSpec spec, String name, long value, long least, long most) {
    if (value < least || value > most) {
      throw new ParameterException(
          spec.commandLine(), name + ": " + value + " (expected: " + least + ".." + most + ")");
    }
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "bench: none (expected: one of those below)");
  }
}
