package io.sfumato.server.app;

import io.sfumato.engine.EngineException;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.verify.Verification;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato verify}: replays recorded outputs of reference implementations. Lives on the main
 * thread.
 */
@Command(
    name = "verify",
    description = {
      "Replays the recorded outputs of reference implementations.",
      "Every forward case and decode trace of a directory's golden.json goes through the engine and"
          + " the policies that the server uses; one PASS, FAIL or SKIPPED line each.",
      ""
    },
    mixinStandardHelpOptions = true)
final class VerifyCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the engine (default: one per core).")
  private int threads;

  @Mixin private EngineChoice choice;

  @Parameters(
      paramLabel = "DIR",
      arity = "1..*",
      description = "Model directories with a golden.json.")
  private List<Path> directories;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    boolean good = true;
    for (Path directory : directories) {
      out.println(directory);
      try {
        good &=
            Verification.run(
                directory,
                threads,
                choice.products(),
                choice.device(),
                System::nanoTime,
                row -> print(out, row));
      } catch (EngineException e) {
        throw new ServingException(ErrorReason.MODEL_CAPABILITY, e.getMessage(), e);
      }
    }
    out.flush();
    return good ? 0 : 1;
  }

  private static void print(PrintWriter out, Object row) {
    out.println("  " + row);
    out.flush();
  }
}
