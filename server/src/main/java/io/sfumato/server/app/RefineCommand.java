package io.sfumato.server.app;

import io.sfumato.server.app.terminal.CanvasView;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.Chat;
import io.sfumato.v1.ChatMessage;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.Segment;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato refine}: rewrites parts of a draft and shows them come into focus. Lives on the
 * main thread.
 */
@Command(
    name = "refine",
    description = {
      "Rewrites parts of a draft. On a terminal its canvas is drawn live; else the text alone is"
          + " printed.",
      "",
      "In the draft plain text is locked, [text] may be changed, [_12] is a blank of 12 tokens, \\["
          + " is a bracket:",
      "  sfumato refine \"Mara was a fox.[_8] She found [her red lantern] again.\"",
      ""
    },
    mixinStandardHelpOptions = true)
final class RefineCommand implements Callable<Integer> {

  private final EngineFactory engines;

  @Spec private CommandSpec spec;
  @Mixin private ServerChoice choice;
  @Mixin private RequestOptions options;
  @Mixin private LiveOptions live = new LiveOptions(4);

  @Option(names = "--instruction", paramLabel = "TEXT", description = "What to do, as a chat.")
  private String instruction = "";

  @Option(
      names = "--noise",
      paramLabel = "SHARE",
      description =
          "Share of the changeable tokens to open again, the most doubtful first (default:"
              + " ${DEFAULT-VALUE}).")
  private float noise = 1;

  @Parameters(paramLabel = "DRAFT", description = "The draft.")
  private String draft;

  RefineCommand(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    RefineStart start = start();
    try (Link link = choice.loading(engines);
        Output output = Output.open()) {
      link.awaitReady();
      live.show(
          output,
          RunTitle.of(start),
          audience -> CanvasRun.refine(link.channel(), start, audience));
    }
    return 0;
  }

  private RefineStart start() {
    RefineStart.Builder start =
        RefineStart.newBuilder()
            .setModel(choice.model())
            .addAllSegments(segments())
            .setCanvas(options.canvas())
            .setSampling(options.sampling())
            .setStop(options.stop())
            .setStream(CanvasView.stream(0));
    if (!instruction.isEmpty()) {
      ChatMessage message =
          ChatMessage.newBuilder().setRole("user").setContent(instruction).build();
      start.setInstruction(Prompt.newBuilder().setChat(Chat.newBuilder().addMessages(message)));
    }
    return start.build();
  }

  private List<Segment> segments() {
    try {
      return Draft.segments(draft, noise);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }
}
