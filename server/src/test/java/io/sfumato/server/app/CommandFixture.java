package io.sfumato.server.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.model.ModelEntry;
import io.sfumato.server.model.ModelSource;
import io.sfumato.server.rpc.RpcSettings;
import io.sfumato.server.text.HuggingFaceTextCodec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * A real server on TCP, with the embedded model's tokenizer and an engine that follows a script,
 * and the commands as a shell would run them.
 */
class CommandFixture {

  private static final Path HOME = Path.of("").toAbsolutePath().getParent();
  static final Path MODEL = HOME.resolve("models/default");
  static final String STORY = "Mara was a fox who lived in the forest. She had a red lantern. 🙂";
  private static final int ASSISTANT = 4;

  private static String previousHome;
  static StoryEngine engines;
  private static Server server;

  @TempDir Path directory;

  record Run(int exit, String out, String errors) {}

  @BeforeAll
  static void start() throws IOException, InterruptedException {
    previousHome = System.getProperty("sfumato.home");
    System.setProperty("sfumato.home", HOME.toString());
    String json = Files.readString(MODEL.resolve("tokenizer.json"));
    try (HuggingFaceTextCodec codec =
        new HuggingFaceTextCodec(json, List.of(), List.of(), Optional.empty())) {
      engines = new StoryEngine(codec.encode(STORY), ASSISTANT);
    }
    RpcSettings rpc =
        RpcSettings.defaults(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    List<ModelSource> models =
        List.of(
            ModelSource.of(EmbeddedModel.NAME, MODEL),
            ModelSource.of("broken", MODEL.resolve("no")));
    server = Server.start(new ServerConfiguration(rpc, models, Drain.AT_ONCE), engines);
    assertThat(server.awaitModels())
        .extracting(ModelEntry::state)
        .containsExactly(ModelEntry.State.READY, ModelEntry.State.FAILED);
  }

  @AfterAll
  static void end() {
    server.close();
    if (previousHome == null) {
      System.clearProperty("sfumato.home");
    } else {
      System.setProperty("sfumato.home", previousHome);
    }
  }

  static String address() {
    return "127.0.0.1:" + server.port();
  }

  static Run run(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    StringWriter errors = new StringWriter();
    PrintStream previous = System.out;
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    try {
      PrintWriter writer = new PrintWriter(out, true, StandardCharsets.UTF_8);
      CommandLine commandLine =
          Main.commandLine(engines).setOut(writer).setErr(new PrintWriter(errors, true));
      int exit = commandLine.execute(arguments);
      return new Run(exit, out.toString(StandardCharsets.UTF_8), errors.toString());
    } finally {
      System.setOut(previous);
    }
  }
}
