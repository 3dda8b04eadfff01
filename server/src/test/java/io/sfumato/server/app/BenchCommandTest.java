package io.sfumato.server.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The measurements, on a scripted engine: that they count right, not what they print. */
class BenchCommandTest extends CommandFixture {

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
  void benchPoliciesRecordsAndReplays() throws IOException {
    Path requests = directory.resolve("requests.jsonl");
    Path traces = directory.resolve("traces");
    Path rows = directory.resolve("rows.jsonl");
    String request = "{\"kind\": \"story\", \"request\": \"Tell me one.\", \"reference\": \"\"}\n";
    Files.writeString(requests, request.repeat(2));
    String[] recording = {
      "bench", "policies", "record", "--requests", requests.toString(), "--out", traces.toString()
    };
    Run record = run(recording);
    assertThat(record.errors()).isEmpty();
    assertThat(record.exit()).isZero();
    assertThat(record.out()).startsWith("2 texts, ").contains(traces.toString());
    String[] replaying = {
      "bench",
      "policies",
      "replay",
      traces.toString(),
      "--policy",
      "fixed:256",
      "--check",
      "threshold:.9",
      "--out",
      rows.toString()
    };
    Run replay = run(replaying);
    assertThat(replay.errors()).isEmpty();
    assertThat(replay.exit()).isZero();
    assertThat(replay.out())
        .containsPattern(
            "\\| reference \\|  \\| (\\d+\\.\\d) \\| 1\\.000 \\| 1\\.000 \\|\\n"
                + "\\| fixed \\| 256 \\| \\1 \\| 1\\.000 \\| 1\\.000 \\|\\n")
        .containsPattern(
            "\\| threshold \\| 0\\.9 \\| [\\d.]+, [\\d.]+ \\| 1\\.000, 1\\.000 \\| 1\\.000, 1\\.000");
    assertThat(Files.readAllLines(rows)).hasSize(4);
    byte[] otherModel = Files.readAllBytes(traces);
    otherModel[8] ^= 1;
    Files.write(traces, otherModel);
    Run refused = run(replaying);
    assertThat(refused.exit()).isEqualTo(1);
    assertThat(refused.errors())
        .startsWith("sfumato: model digest: ")
        .contains("that of the traces");
    Run setting = run("bench", "policies", "replay", traces.toString(), "--policy", "fixed:0");
    assertThat(setting.exit()).isEqualTo(2);
    assertThat(setting.errors()).contains("fixed: 0.0 (expected: a whole number, 1..4096)");
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
}
