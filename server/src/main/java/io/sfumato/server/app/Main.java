package io.sfumato.server.app;

import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.sfumato.engine.DeviceChoice;
import io.sfumato.server.app.bench.BenchCommand;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.NativeEngines;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The command line: {@code sfumato COMMAND}. Lives on the main thread. */
@Command(
    name = "sfumato",
    description = {
      "Serves diffusion language models over gRPC, and shows their texts come into focus.",
      ""
    },
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = CommandLine.HelpCommand.class)
public final class Main implements Runnable {

  private static final int FAILURE = 1;

  @Spec private CommandSpec spec;

  /**
   * Runs a command and ends the process: 0 when it went well, 1 when not, 2 for a command line that
   * is wrong.
   */
  public static void main(String[] arguments) {
    Logging.configure();
    System.exit(commandLine(new NativeEngines()).execute(arguments));
  }

  static CommandLine commandLine(EngineFactory engines) {
    return new CommandLine(new Main())
        .addSubcommand(new DemoCommand(engines))
        .addSubcommand(new ServeCommand(engines))
        .addSubcommand(new GenerateCommand(engines))
        .addSubcommand(new RefineCommand(engines))
        .addSubcommand(new ReplayCommand())
        .addSubcommand(new ModelsCommand(engines))
        .addSubcommand(new CheckCommand(engines))
        .addSubcommand(new VerifyCommand())
        .addSubcommand(BenchCommand.commandLine(engines))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .registerConverter(DeviceChoice.class, Main::device)
        .setExecutionExceptionHandler((failure, command, parsed) -> report(failure, command));
  }

  private static DeviceChoice device(String text) {
    return DeviceChoice.parse(text)
        .orElseThrow(
            () -> new TypeConversionException(text + " (expected: " + DeviceChoice.FORMS + ")"));
  }

  private static int report(Exception failure, CommandLine command) throws Exception {
    String message =
        switch (failure) {
          case ServingException refusal -> refusal.getMessage();
          case StatusRuntimeException status -> RemoteErrors.describe(status);
          case StatusException status -> RemoteErrors.describe(status);
          case NoSuchFileException missing ->
              missing.getFile() + ": not there (expected: a file, or a place for one)";
          case IOException io -> io.getMessage() == null ? io.toString() : io.getMessage();
          default -> throw failure;
        };
    command.getErr().println("sfumato: " + message);
    return FAILURE;
  }

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "command: none (expected: one of those below)");
  }

  /** The version in the server's jar. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Main.class.getPackage().getImplementationVersion();
      return new String[] {"sfumato " + (version == null ? "(from classes)" : version)};
    }
  }
}
