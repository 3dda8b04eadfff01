package io.sfumato.server.app;

import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.ListModelsRequest;
import io.sfumato.v1.Model;
import io.sfumato.v1.ModelServiceGrpc;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sfumato models}: lists what a server serves. Lives on the main thread. */
@Command(
    name = "models",
    description = "Lists the models of a server.",
    mixinStandardHelpOptions = true)
final class ModelsCommand implements Callable<Integer> {

  private static final String ROW = "%-20s %-12s %-10s %8s %8s %8s  %-14s %s%n";

  private final EngineFactory engines;

  @Spec private CommandSpec spec;
  @Mixin private ServerChoice choice;

  ModelsCommand(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    try (Link link = choice.open(engines)) {
      ListModelsRequest request = ListModelsRequest.newBuilder().setPageSize(1000).build();
      out.printf(ROW, "NAME", "STATE", "FAMILY", "CONTEXT", "CANVAS", "VOCAB", "INPUT", "DIGEST");
      for (Model model :
          ModelServiceGrpc.newBlockingStub(link.channel()).listModels(request).getModelsList()) {
        out.printf(
            ROW,
            model.getName(),
            model.getState().name().replace("STATE_", "").toLowerCase(Locale.ROOT),
            model.getFamily(),
            model.getLimits().getMaxContextTokens(),
            model.getDefaultCanvas().getMaxLengthTokens(),
            model.getLimits().getVocabularySize(),
            input(model),
            model.getDigest().substring(0, Math.min(12, model.getDigest().length())));
        if (!model.getStateMessage().isEmpty()) {
          out.println("  " + model.getStateMessage());
        }
      }
      out.flush();
    }
    return 0;
  }

  private static String input(Model model) {
    if (model.getCapabilities().getChat()) {
      return "chat, text, ids";
    }
    return model.getCapabilities().getTokenizer() ? "text, ids" : "ids";
  }
}
