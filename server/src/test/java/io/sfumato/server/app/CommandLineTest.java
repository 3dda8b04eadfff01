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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * The commands over a real server on TCP, with the embedded model's tokenizer and an engine that
 * follows a script.
 */
class CommandLineTest {

  private static final Path HOME = Path.of("").toAbsolutePath().getParent();
  private static final Path MODEL = HOME.resolve("models/default");
  private static final String STORY =
      "Mara was a fox who lived in the forest. She had a red lantern. 🙂";
  private static final int ASSISTANT = 4;

  private static String previousHome;
  private static StoryEngine engines;
  private static Server server;

  @TempDir private Path directory;

  private record Run(int exit, String out, String errors) {}

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

  @Test
  void generatePrintsTheTextAlone() {
    Run run = run("generate", "--address", address(), "Tell me a story.");
    assertThat(run.errors()).isEmpty();
    assertThat(run.exit()).isZero();
    assertThat(run.out().strip()).isEqualTo(STORY);
  }

  @Test
  void generatePrintsFramesAndAPicture() throws IOException {
    Path picture = directory.resolve("canvas.svg");
    Run run =
        run(
            "generate",
            "--address",
            address(),
            "--frames",
            "--svg",
            picture.toString(),
            "--max-length",
            "64",
            "Tell me a story.");
    assertThat(run.exit()).isZero();
    assertThat(run.out())
        .containsPattern("Generate step \\d+  \\d+/\\d+  ")
        .contains(STORY)
        .contains("end of text");
    assertThat(Files.readString(picture))
        .startsWith("<svg ")
        .containsPattern(">step \\d+<")
        .contains("lantern")
        .endsWith("</svg>\n");
  }

  @Test
  void generateTakesOptions() {
    Run run =
        run(
            "generate",
            "--address",
            address(),
            "--max-length",
            "4",
            "--block",
            "2",
            "--steps",
            "1",
            "--seed",
            "5",
            "Tell me a story.");
    assertThat(run.exit()).isZero();
    assertThat(STORY).startsWith(run.out().strip());
    Run stopped = run("generate", "--address", address(), "--stop", " who", "Tell me a story.");
    assertThat(stopped.out().strip()).isEqualTo("Mara was a fox");
  }

  @Test
  void refinePrintsTheText() {
    Run run =
        run(
            "refine",
            "--address",
            address(),
            "--instruction",
            "Mend it.",
            "Mara was[ the owl] who lived[_3]");
    assertThat(run.errors()).isEmpty();
    assertThat(run.exit()).isZero();
    assertThat(run.out().strip()).startsWith("Mara was").contains(" who lived");
  }

  @Test
  void errorsNameTheFieldAndFail() {
    Run run = run("generate", "--address", address(), "--temperature", "9", "x");
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.errors())
        .startsWith("sfumato: INVALID_ARGUMENT INVALID_FIELD")
        .contains("start.sampling.temperature");
    Run model = run("generate", "--address", address(), "--model", "none", "x");
    assertThat(model.errors())
        .startsWith("sfumato: NOT_FOUND MODEL_NOT_FOUND: ")
        .contains("none (expected: ");
    Run draft = run("refine", "--address", address(), "a [b");
    assertThat(draft.exit()).isEqualTo(2);
    assertThat(draft.errors()).contains("draft: [ at 2");
    assertThat(run("generate", "--address", address(), "--nonsense").exit()).isEqualTo(2);
    assertThat(run().exit()).isEqualTo(2);
  }

  @Test
  void modelsListsThem() {
    Run run = run("models", "--address", address());
    assertThat(run.exit()).isZero();
    assertThat(run.out())
        .containsPattern(
            "sfumato-tales +ready +llada +512 +\\d+ +2048 +chat, text, ids +[0-9a-f]{12}")
        .containsPattern("broken +unavailable")
        .contains("(expected: a directory with a config.json)");
  }

  @Test
  void checkPrintsFactsOrProblems() {
    Run good = run("check", MODEL.toString());
    assertThat(good.exit()).isZero();
    assertThat(good.out()).contains("family       llada").contains("chat template: yes");
    Run bad = run("check", directory.toString());
    assertThat(bad.exit()).isEqualTo(1);
    assertThat(bad.errors()).contains("config.json: java.nio.file.NoSuchFileException");
  }

  @Test
  void verifyNeedsRecordedOutputs() {
    Run run = run("verify", directory.toString());
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.errors()).startsWith("sfumato: golden.json: absent in ");
  }

  @Test
  void benchStepTimesEveryBatch() {
    Run run = run("bench", "step", "--canvas", "32", "--batch", "1,3", "--runs", "5");
    assertThat(run.errors()).isEmpty();
    assertThat(run.exit()).isZero();
    assertThat(run.out())
        .contains("canvas 32")
        .containsPattern("batch  1   median")
        .containsPattern("batch  3   median");
    assertThat(run("bench", "step", "--batch", "0").errors())
        .contains("batch: 0 (expected: 1..1024)");
  }

  @Test
  void benchControlsCountsEveryControl() throws IOException {
    Run run =
        run(
            "bench",
            "controls",
            "--requests",
            requests().toString(),
            "--scripted-only",
            "--step-millis",
            "1",
            "--scripted-canvas",
            "64",
            "--controls",
            "8",
            "--others",
            "0,2");
    assertThat(run.errors()).isEmpty();
    assertThat(run.exit()).isZero();
    assertThat(run.out())
        .containsPattern("scripted, 1.0 ms \\| 0 \\| \\d+\\.\\d\\d \\| 8 \\|")
        .containsPattern("scripted, 1.0 ms \\| 2 \\| \\d+\\.\\d\\d \\| 8 \\|");
  }

  @Test
  void benchSlowReaderFindsTheNewestCanvasAndTheWholeText() {
    Run run =
        run(
            "bench",
            "slow-reader",
            "--canvas",
            "512",
            "--readers",
            "3",
            "--others",
            "1",
            "--pause-seconds",
            "1");
    assertThat(run.errors()).isEmpty();
    assertThat(run.out()).containsPattern("\\| 512 \\| 3 \\| ").contains("reading on: all clients");
    assertThat(run.exit()).isZero();
    assertThat(run("bench", "slow-reader", "--readers", "0").errors())
        .contains("--readers: 0 (expected: 1..200)");
  }

  @Test
  void benchSteeringRenamesTheHero() throws IOException {
    Path out = directory.resolve("steering.jsonl");
    Run run =
        run(
            "bench",
            "steering",
            "--address",
            address(),
            "--requests",
            requests().toString(),
            "--names",
            "Mara,Lena,Nora,Pia,Ida,Rosa",
            "--out",
            out.toString());
    assertThat(run.errors()).isEmpty();
    assertThat(run.exit()).isZero();
    assertThat(run.out())
        .contains("1 requests that name nobody, 0 of them")
        .contains("| plain | 1 | 1.000 | 1.00 |")
        .contains("| pin at step 0 | 1 | 1.000 | 1.00 |");
    assertThat(Files.readAllLines(out))
        .anySatisfy(line ->
            assertThat(line)
                .contains("\"run\":\"pin at step 0\"")
                .containsPattern("\"text\":\"(Lena|Nora|Pia|Ida|Rosa) was a fox"));
    assertThat(
            run("bench", "steering", "--requests", "x", "--out", "y", "--names", "Mara").errors())
        .contains("--names: Mara (expected: two names at least)");
  }

  private Path requests() throws IOException {
    Path file = directory.resolve("requests.jsonl");
    Files.writeString(
        file,
        """
        {"kind": "story", "request": "Tell me a story about a fox.", "reference": "Mara was a fox."}
        {"kind": "story", "request": "Tell me a story about Nora.", "reference": "Nora was a fox."}
        """);
    return file;
  }

  @Test
  void demoRunsOnAServerOfItsOwn() {
    Run run = run("demo");
    assertThat(run.errors()).isEmpty();
    assertThat(run.exit()).isZero();
    assertThat(run.out())
        .contains("Generate step ")
        .contains("Refine step ")
        .contains("Summary")
        .containsPattern("First canvas \\d+\\.\\d\\d s after the process started");
  }

  private static String address() {
    return "127.0.0.1:" + server.port();
  }

  private static Run run(String... arguments) {
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
