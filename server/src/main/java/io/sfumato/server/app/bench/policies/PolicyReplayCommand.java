package io.sfumato.server.app.bench.policies;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.LoadedModel;
import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.session.SessionGate;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato bench policies replay}: what acceptance policies would have made of recorded
 * candidates. Lives on the main thread.
 */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    description = {
      "Replays acceptance policies against recorded candidates, without a model: sessions, windows"
          + " and policies are the server's own.",
      "An approximation: the candidates are those of the reference run, which decides one token per"
          + " pass. After a policy has decided n positions, it is shown the first recorded pass"
          + " with at least n decided, whichever these were; a wrong token it has accepted changes"
          + " nothing that comes later. A token is right when it is the reference's final token at"
          + " its position. So the share of tokens is an upper bound more than an estimate. --check"
          + " runs settings through the model as well, and prints both."
    })
final class PolicyReplayCommand implements Callable<Integer> {

  private final EngineFactory engines;

  @Spec private CommandSpec command;

  @Mixin private LocalModel model;

  @Parameters(paramLabel = "FILE", description = "Traces of: sfumato bench policies record.")
  private Path file;

  @Option(
      names = "--policy",
      paramLabel = "NAME:VALUE[,VALUE...]",
      defaultValue =
          "threshold:0.5,0.6,0.7,0.8,0.85,0.9,0.95,0.99"
              + " fixed:4,8,16,32,64,128,256"
              + " entropy:0,0.05,0.1,0.2,0.3,0.5,1,2,4",
      split = " ",
      description =
          "threshold (confidence, 0..1), fixed (steps per block), entropy (bound in nats); may be"
              + " given again (default: ${DEFAULT-VALUE})")
  private List<String> policies;

  @Option(
      names = "--check",
      paramLabel = "NAME:VALUE[,VALUE...]",
      split = " ",
      description = "settings to run through the model as well; may be given again")
  private List<String> checks = List.of();

  @Option(names = "--out", description = "JSON lines with one setting each, for a plot")
  private Path out;

  PolicyReplayCommand(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    Set<PolicySetting> checked = parse(checks);
    Set<PolicySetting> settings = parse(policies);
    settings.addAll(checked);
    try (TraceReader reader = new TraceReader(file);
        LoadedModel loaded = checked.isEmpty() ? null : load(reader.header())) {
      TraceHeader header = reader.header();
      PolicyTable table = new PolicyTable(header.canvasLength());
      for (Optional<CandidateTrace> next = reader.next(); next.isPresent(); next = reader.next()) {
        CandidateTrace trace = next.get();
        table.reference().add(trace.passes().size(), trace.result(), trace.result());
        try (EngineLoop loop = TraceScript.loop(header, trace)) {
          run(header, trace, loop, settings, table.replayed());
        }
        if (loaded != null) {
          run(header, trace, loaded.served().sessions(), checked, table.decoded());
        }
      }
      PrintWriter print = command.commandLine().getOut();
      table.print(print);
      print.flush();
      if (out != null) {
        table.write(out);
      }
    }
    return 0;
  }

  private Set<PolicySetting> parse(List<String> sweeps) {
    try {
      return new LinkedHashSet<>(PolicySetting.parse(sweeps));
    } catch (IllegalArgumentException problem) {
      throw new ParameterException(command.commandLine(), problem.getMessage(), problem);
    }
  }

  private LoadedModel load(TraceHeader header) throws InterruptedException {
    LoadedModel loaded = model.load(engines);
    if (!loaded.served().digest().equals(header.digest())) {
      loaded.close();
      throw new ServingException(
          ErrorReason.INVALID_FIELD,
          "model digest: "
              + loaded.served().digest()
              + " (expected: "
              + header.digest()
              + ", that of the traces)");
    }
    return loaded;
  }

  /** Runs every setting once for the text of the trace. */
  static void run(
      TraceHeader header,
      CandidateTrace trace,
      SessionGate gate,
      Set<PolicySetting> settings,
      Map<PolicySetting, PolicyTally> tallies)
      throws InterruptedException {
    for (PolicySetting setting : settings) {
      tallies
          .computeIfAbsent(setting, ignored -> new PolicyTally(header.canvasLength()))
          .add(
              SessionRun.finish(gate, header.session(trace.promptTokens(), setting)),
              trace.result());
    }
  }
}
