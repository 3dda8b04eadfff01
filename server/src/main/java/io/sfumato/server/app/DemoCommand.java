package io.sfumato.server.app;

import io.sfumato.server.app.terminal.RunDisplay;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.Chat;
import io.sfumato.v1.ChatMessage;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.SamplingSpec;
import java.io.IOException;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code sfumato demo}: a server with the embedded model, and a client that shows one generation
 * and one refinement. Lives on the main thread.
 */
@Command(
    name = "demo",
    description =
        "Starts a server with the embedded model and shows, as its client over TCP, a text come"
            + " into focus and a draft be mended.",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {

  private static final String PROMPT =
      "Write a story about a fox named Mara who loses a red lantern in the forest.";
  private static final String DRAFT =
      "In the forest lived a careful fox named Mara.[_16] blue lantern.[_60] Mara thanked Olive and"
          + " held the blue lantern tight.";

  private static final String REFINING =
      "The underlined parts are the client's and stay; the model fills in the rest.";

  private final EngineFactory engines;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "What to write about.")
  private String prompt = PROMPT;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of all noise (default: ${DEFAULT-VALUE}).")
  private long seed = 7;

  DemoCommand(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (Link link = Link.loading(EmbeddedModel.source(), engines);
        Output output = Output.open()) {
      output.line(Output.DIM, "  Loading the embedded model ...");
      link.awaitReady();
      output.line(
          Output.DIM,
          "  Serving it on port "
              + link.ownPort().orElseThrow()
              + "; everything below came over gRPC.");
      output.line("");
      CanvasRun.Outcome generated;
      try (RunDisplay display = output.display()) {
        generated =
            CanvasRun.generate(link.channel(), generateStart(), "Generate", prompt, display, null);
      }
      output.line("");
      CanvasRun.Outcome refined;
      try (RunDisplay display = output.display()) {
        refined =
            CanvasRun.refine(link.channel(), refineStart(), "Refine", REFINING, display, null);
      }
      output.line("");
      output.line(Output.DIM, "  Summary   " + RunReport.HEADER);
      output.line("  Generate  " + RunReport.row(generated));
      output.line("  Refine    " + RunReport.row(refined));
      output.line(
          "  First canvas "
              + sinceStart(generated.firstCanvasMillis())
              + " after the process started");
    }
    return 0;
  }

  private GenerateStart generateStart() {
    return GenerateStart.newBuilder()
        .setPrompt(chat(prompt))
        .setSampling(SamplingSpec.newBuilder().setSeed(seed))
        .setStream(RequestOptions.stream())
        .build();
  }

  private RefineStart refineStart() {
    return RefineStart.newBuilder()
        .setInstruction(chat(prompt))
        .addAllSegments(Draft.segments(DRAFT, 1))
        .setSampling(SamplingSpec.newBuilder().setSeed(seed))
        .setStream(RequestOptions.stream())
        .build();
  }

  private static Prompt chat(String content) {
    ChatMessage message = ChatMessage.newBuilder().setRole("user").setContent(content).build();
    return Prompt.newBuilder().setChat(Chat.newBuilder().addMessages(message)).build();
  }

  private static String sinceStart(long millis) {
    return String.format(Locale.ROOT, "%.2f s", (millis - ProcessStart.millis()) / 1000.0);
  }
}
