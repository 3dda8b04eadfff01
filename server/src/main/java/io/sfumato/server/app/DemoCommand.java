package io.sfumato.server.app;

import io.sfumato.server.app.terminal.CanvasView;
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
import java.util.Optional;
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
      "Write a story about a painter named Zora who loses a silver brush by the river.";
  private static final String REFINE_PROMPT =
      "Write a story about a fox named Mara who loses a blue lantern in the forest.";
  private static final String DRAFT =
      "In the forest lived a careful fox named Mara. There was only one thing she would never sell,"
          + " and that was a blue lantern.[ When she came home, she saw that she had lost the red"
          + " lantern. Mara walked up and down and called for the lantern, as if it could answer."
          + " Then she met a gardener named Olive. \"Have you seen a red lantern?\" Mara asked."
          + " They looked behind a door, and there was the red lantern. Mara thanked Olive and held"
          + " the red lantern tight.]";
  private static final float NOISE = 0.2f;

  private static final String REFINING =
      "The client made the lantern blue and locked its words (underlined); the rest still says"
          + " red.";

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
      long startMillis = System.currentTimeMillis();
      RunOutcome generated;
      try (RunDisplay display = output.display()) {
        GenerateStart start = generateStart();
        generated =
            CanvasRun.generate(link.channel(), start, audience(RunTitle.of(start), display));
      }
      output.line("");
      RunOutcome refined;
      try (RunDisplay display = output.display()) {
        RunTitle title = new RunTitle("Refine", REFINING);
        refined = CanvasRun.refine(link.channel(), refineStart(), audience(title, display));
      }
      output.line("");
      output.line(Output.DIM, "  Summary   " + RunReport.HEADER);
      output.line("  Generate  " + RunReport.row(generated));
      output.line("  Refine    " + RunReport.row(refined));
      output.line(
          "  First canvas "
              + sinceStart(startMillis + generated.firstCanvasNanos() / 1_000_000)
              + " after the process started");
    }
    return 0;
  }

  private static CanvasRun.Audience audience(RunTitle title, RunDisplay display) {
    return CanvasRun.Audience.of(new RunFollower(title, display, Optional.empty()));
  }

  private GenerateStart generateStart() {
    return GenerateStart.newBuilder()
        .setPrompt(chat(prompt))
        .setSampling(SamplingSpec.newBuilder().setSeed(seed))
        .setStream(CanvasView.stream(0))
        .build();
  }

  private RefineStart refineStart() {
    return RefineStart.newBuilder()
        .setInstruction(chat(REFINE_PROMPT))
        .addAllSegments(Draft.segments(DRAFT, NOISE))
        .setSampling(SamplingSpec.newBuilder().setSeed(seed))
        .setStream(CanvasView.stream(0))
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
