package io.sfumato.server.app;

import io.grpc.Channel;
import io.sfumato.server.app.terminal.CanvasView;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.Chat;
import io.sfumato.v1.ChatMessage;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GetModelRequest;
import io.sfumato.v1.ModelServiceGrpc;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.TokenIds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code sfumato generate}: writes a text and shows it come into focus. Lives on the main thread.
 */
@Command(
    name = "generate",
    description =
        "Writes a text. On a terminal its canvas is drawn live; else the text alone is printed.",
    mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {

  private final EngineFactory engines;

  @Mixin private ServerChoice choice;
  @Mixin private RequestOptions options;
  @Mixin private LiveOptions live = new LiveOptions(6);
  @ArgGroup private Form form = new Form();

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "A system message before the prompt.")
  private String system = "";

  @Option(names = "--prefix", paramLabel = "TEXT", description = "What the answer begins with.")
  private String prefix = "";

  @Parameters(
      paramLabel = "PROMPT",
      arity = "0..1",
      description = "The prompt; standard input when absent.")
  private String prompt;

  /** At most one of these; a chat when the model knows chats. */
  static final class Form {
    @Option(names = "--raw", description = "The prompt is plain text, without a chat template.")
    private boolean raw;

    @Option(
        names = "--tokens",
        paramLabel = "ID",
        split = ",",
        description = "Token ids instead of a prompt.")
    private List<Integer> tokens;
  }

  GenerateCommand(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (Link link = choice.loading(engines);
        Output output = Output.open()) {
      link.awaitReady();
      GenerateStart start = start(link.channel());
      live.show(
          output,
          RunTitle.of(start),
          audience -> CanvasRun.generate(link.channel(), start, audience));
    }
    return 0;
  }

  private GenerateStart start(Channel channel) throws IOException {
    return GenerateStart.newBuilder()
        .setModel(choice.model())
        .setPrompt(prompt(channel))
        .setAssistantPrefix(prefix)
        .setCanvas(options.canvas())
        .setSampling(options.sampling())
        .setStop(options.stop())
        .setStream(CanvasView.stream(0))
        .build();
  }

  private Prompt prompt(Channel channel) throws IOException {
    if (form.tokens != null) {
      return Prompt.newBuilder().setTokenIds(TokenIds.newBuilder().addAllIds(form.tokens)).build();
    }
    if (prompt == null) {
      prompt = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
    boolean chats =
        ModelServiceGrpc.newBlockingStub(channel)
            .getModel(GetModelRequest.newBuilder().setName(choice.model()).build())
            .getModel()
            .getCapabilities()
            .getChat();
    if (form.raw || !chats) {
      return Prompt.newBuilder().setText(prompt).build();
    }
    Chat.Builder chat = Chat.newBuilder();
    if (!system.isEmpty()) {
      chat.addMessages(ChatMessage.newBuilder().setRole("system").setContent(system));
    }
    chat.addMessages(ChatMessage.newBuilder().setRole("user").setContent(prompt));
    return Prompt.newBuilder().setChat(chat).build();
  }
}
