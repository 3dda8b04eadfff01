package io.sfumato.server.app.bench.policies;

import io.sfumato.server.app.bench.BenchRequest;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.LoadedModel;
import io.sfumato.server.model.ModelDefaults;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.text.ChatMessage;
import io.sfumato.server.text.TextCodec;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato bench policies record}: runs texts with one token per pass and writes every pass's
 * candidates. Lives on the main thread.
 */
@Command(
    name = "record",
    mixinStandardHelpOptions = true,
    description = {
      "Decodes requests with one token per forward pass, the most probable first, and records what"
          + " the model proposed at each pass.",
      "Temperature 0, no revision."
    })
final class PolicyRecordCommand implements Callable<Integer> {

  private final EngineFactory engines;

  @Spec private CommandSpec command;

  @Mixin private LocalModel model;

  @Option(
      names = "--requests",
      required = true,
      description = "JSON lines with kind, request and reference")
  private Path requests;

  @Option(names = "--out", required = true, description = "file of the traces")
  private Path out;

  @Option(names = "--kinds", split = ",", defaultValue = "story", description = "kinds to record")
  private List<String> kinds;

  @Option(names = "--limit", defaultValue = "50", description = "requests per kind; 0 for all")
  private int limit;

  @Option(names = "--length", description = "canvas length in tokens (default: the model's)")
  private Integer length;

  @Option(names = "--block", description = "tokens per block (default: the model's)")
  private Integer block;

  @Option(names = "--window", description = "window in tokens (default: the model's)")
  private Integer window;

  PolicyRecordCommand(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    List<BenchRequest> work = BenchRequest.read(requests, kinds, limit);
    CandidateRecorder recorder = new CandidateRecorder(engines);
    try (LoadedModel loaded = model.load(recorder)) {
      ServedModel served = loaded.served();
      TextCodec codec = served.text().orElseThrow(PolicyRecordCommand::noTokenizer);
      TraceHeader header = header(served, work.size());
      long begun = System.nanoTime();
      long passes = 0;
      try (TraceWriter writer = new TraceWriter(out, header)) {
        for (int index = 0; index < work.size(); index++) {
          ChatMessage message = new ChatMessage("user", work.get(index).request());
          CandidateTrace trace =
              record(served, recorder, header, codec.encodeChat(List.of(message), ""));
          writer.write(trace);
          passes += trace.passes().size();
          if (index % 10 == 9) {
            System.err.println("recorded " + (index + 1) + " of " + work.size());
          }
        }
      }
      PrintWriter print = command.commandLine().getOut();
      print.printf(
          Locale.ROOT,
          "%d texts, %d forward passes, %.1f s: %s%n",
          work.size(),
          passes,
          (System.nanoTime() - begun) / 1e9,
          out);
      print.flush();
    }
    return 0;
  }

  private static CandidateTrace record(
      ServedModel served, CandidateRecorder recorder, TraceHeader header, int[] prompt)
      throws InterruptedException {
    SessionSpec spec = header.session(prompt, PolicySetting.reference(header.blockLength()));
    recorder.begin(prompt.length);
    SessionEvent.Finished finished = SessionRun.finish(served.sessions(), spec);
    return new CandidateTrace(header, prompt, recorder.passes(), finished.tokens());
  }

  private TraceHeader header(ServedModel served, int traces) {
    ModelDefaults defaults = served.defaults();
    if (defaults.blockCausal() || defaults.encodesContext() || served.engine().shiftedLogits()) {
      throw new ParameterException(
          command.commandLine(),
          "model: of the family "
              + served.engine().family()
              + " (expected: one whose positions all see each other and are decided by their own"
              + " rows)");
    }
    int canvas = length == null ? defaults.maxLengthTokens() : length;
    int usualBlock = Math.min(defaults.blockLength(), canvas);
    int blockLength = block == null ? usualBlock : block;
    int usualWindow = defaults.windowLength() == 0 ? blockLength : defaults.windowLength();
    int windowLength = window == null ? Math.min(usualWindow, blockLength) : window;
    try {
      return new TraceHeader(
          served.digest(),
          served.engine().vocabulary(),
          canvas,
          blockLength,
          windowLength,
          defaults.endOfTextTokens(),
          traces);
    } catch (IllegalArgumentException problem) {
      throw new ParameterException(command.commandLine(), problem.getMessage(), problem);
    }
  }

  private static ServingException noTokenizer() {
    return new ServingException(
        ErrorReason.MODEL_CAPABILITY, "tokenizer.json: none (expected: one, requests are texts)");
  }
}
