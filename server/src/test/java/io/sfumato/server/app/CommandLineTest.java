package io.sfumato.server.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.ProductType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The commands for people. */
class CommandLineTest extends CommandFixture {

  @Test
  void generatePrintsTheTextAlone() {
    Run run = run("generate", "--address", address(), "Tell me a story.");
    assertThat(run.errors()).isEmpty();
    assertThat(run.exit()).isZero();
    assertThat(run.out().strip()).isEqualTo(STORY);
  }

  @Test
  void aServerOfItsOwnComputesAsTold() {
    Run run = run("generate", "--products", "fp8", "--device", "cuda:1", "Tell me a story.");
    assertThat(run.errors()).isEmpty();
    assertThat(run.out().strip()).isEqualTo(STORY);
    assertThat(engines.lastOptions().products()).isEqualTo(ProductType.FP8);
    assertThat(engines.lastOptions().device()).hasToString("cuda:1");
  }

  @Test
  void howAServerElsewhereComputesIsItsOwnAffair() {
    Run run = run("generate", "--address", address(), "--device", "cpu", "Tell me a story.");
    assertThat(run.exit()).isNotZero();
    assertThat(run.errors())
        .contains("--device: cpu (expected: nothing beside --address, whose server has chosen)");
    Run products = run("models", "--address", address(), "--products", "int8");
    assertThat(products.errors()).contains("--products: INT8 (expected: nothing beside --address");
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
  void aRecordedRunIsReplayedLineForLine() throws IOException {
    Path recording = directory.resolve("run.jsonl");
    Path picture = directory.resolve("replay.svg");
    String record = recording.toString();
    Run run =
        run("generate", "--address", address(), "--frames", "--record", record, "Tell a story.");
    assertThat(run.errors()).isEmpty();
    assertThat(run.out()).contains("Generate step ").contains(STORY).contains("end of text");
    Run replay = run("replay", "--instant", "--svg", picture.toString(), record);
    assertThat(replay.errors()).isEmpty();
    assertThat(replay.exit()).isZero();
    assertThat(replay.out()).isEqualTo(run.out());
    assertThat(Files.readString(picture)).contains("lantern");
    Run refined =
        run("refine", "--address", address(), "--frames", "--record", record, "Mara[_3] was.");
    assertThat(run("replay", "--speed", "0", record).out())
        .contains("Refine step ")
        .isEqualTo(refined.out());
  }

  @Test
  void recordingsOfRefusedRunsSayWhy() {
    String record = directory.resolve("refused.jsonl").toString();
    Run run =
        run("generate", "--address", address(), "--record", record, "--temperature", "9", "x");
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run("replay", record).out())
        .contains("ended by INVALID_ARGUMENT INVALID_FIELD")
        .contains("start.sampling.temperature");
  }

  @Test
  void replayNamesTheLineThatIsWrong() throws IOException {
    Path recording = directory.resolve("bad.jsonl");
    Files.writeString(
        recording,
        """
        {"at_ms":0,"generate":{}}
        {"at_ms":1,"event":{"canvas_delta":{"basis_frame":4,"frame":5}}}
        """);
    Run run = run("replay", "--instant", recording.toString());
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.errors().strip())
        .isEqualTo("sfumato: " + recording + ":2: basis_frame: 4 (expected: 0)");
    Run speed = run("replay", "--speed", "-1", recording.toString());
    assertThat(speed.exit()).isEqualTo(2);
    assertThat(speed.errors()).contains("speed: -1.0 (expected: a number from 0)");
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
  void anApproximateCacheIsAskedForByItsName() {
    Run run = run("generate", "--address", address(), "--cache", "dual", "Tell me a story.");
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.errors())
        .startsWith("sfumato: FAILED_PRECONDITION MODEL_CAPABILITY")
        .contains("approximate_cache: DUAL (expected: NONE, the model has no approximate cache)");
    Run none = run("generate", "--address", address(), "--cache", "none", "Tell me a story.");
    assertThat(none.exit()).isZero();
    Run unknown = run("generate", "--address", address(), "--cache", "exact", "Tell me a story.");
    assertThat(unknown.exit()).isEqualTo(2);
    assertThat(unknown.errors()).contains("--cache").contains("[NONE, PREFIX, DUAL]");
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
}
