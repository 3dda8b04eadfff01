package io.sfumato.server.app.recording;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import io.sfumato.v1.CanvasKeyframe;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.Pause;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.Span;
import io.sfumato.v1.Status;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordingTest {

  private static final String REQUEST = "{\"at_ms\":0,\"generate\":{}}\n";

  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("run.jsonl");
  }

  @Test
  void whatIsWrittenIsRead() throws IOException {
    List<RecordedLine> lines =
        List.of(
            new RecordedLine(
                1,
                0,
                GenerateStart.newBuilder()
                    .setPrompt(Prompt.newBuilder().setText("a\nb\u0001🙂"))
                    .build()),
            new RecordedLine(
                2,
                1_234_567,
                Event.newBuilder()
                    .setSequence(1L << 60)
                    .setCanvasKeyframe(
                        CanvasKeyframe.newBuilder()
                            .addSpans(
                                Span.newBuilder()
                                    .addTexts("\"\\")
                                    .setConfidences(
                                        ByteString.copyFrom(new byte[] {0, (byte) 255}))))
                    .build()),
            new RecordedLine(
                3,
                1_234_567,
                Control.newBuilder().setControlId(1).setPause(Pause.getDefaultInstance()).build()),
            new RecordedLine(
                4,
                3_600_000_000_000L,
                Status.newBuilder()
                    .setCode(1)
                    .addDetails(Any.pack(ErrorInfo.newBuilder().setReason("WHY").build()))
                    .build()));
    try (RecordingWriter writer = RecordingWriter.open(file)) {
      lines.forEach(line -> writer.write(line.nanos(), line.message()));
    }
    assertThat(RecordingReader.read(file)).isEqualTo(lines);
    assertThat(Files.readAllLines(file).get(2))
        .isEqualTo("{\"at_ms\":1.234567,\"control\":{\"control_id\":1,\"pause\":{}}}");
  }

  @Test
  void aFullRecordingEndsWithAWholeLineAndSaysSo() throws IOException {
    RecordingWriter writer = RecordingWriter.open(file, 90);
    writer.write(0, GenerateStart.getDefaultInstance());
    writer.write(1, Event.newBuilder().setStep(1).build());
    writer.write(2, Event.newBuilder().setStep(2).build());
    writer.write(3, Event.getDefaultInstance());
    assertThatThrownBy(writer::close)
        .isInstanceOf(IOException.class)
        .hasMessageMatching("record: .*run.jsonl: full after \\d+ bytes .expected: at most 90.");
    assertThat(RecordingReader.read(file)).hasSize(2);
  }

  @Test
  void malformedLinesAreNamed() throws IOException {
    assertMalformed("", ":1: no line (expected: generate or refine)");
    assertMalformed(
        "{\"at_ms\":0,\"event\":{}}", ":1: event: first (expected: generate or refine)");
    assertMalformed(
        REQUEST + REQUEST, ":2: generate: once more (expected: only in the first line)");
    assertMalformed(REQUEST + "\n", ":2: (expected: a JSON object of at_ms and one of generate,");
    assertMalformed(REQUEST + "{\"at_ms\":1,", ":2: ");
    assertMalformed(REQUEST + "{\"at_ms\":1,\"events\":{}}", ":2: at_ms, events (expected: at_ms");
    assertMalformed(
        REQUEST + "{\"at\":1,\"event\":{}}", ":2: at_ms: none (expected: 0..604800000)");
    assertMalformed(
        REQUEST + "{\"at_ms\":2.5,\"event\":{}}\n{\"at_ms\":2,\"event\":{}}",
        ":3: at_ms: 2 (expected: 2.5..604800000)");
    assertMalformed(REQUEST + "{\"at_ms\":1e999999999,\"event\":{}}", ":2: at_ms: ");
    assertMalformed(REQUEST + "{\"at_ms\":\"1\",\"event\":{}}", ":2: at_ms: \"1\" (expected: ");
    assertMalformed(REQUEST + "{\"at_ms\":1,\"event\":{\"stepp\":1}}", ":2: event: ");
    assertMalformed(REQUEST + "{\"at_ms\":1,\"event\":[]}", ":2: event: ");
    assertMalformed(
        REQUEST + "{\"at_ms\":1,\"status\":{\"code\":17}}",
        ":2: status.code: 17 (expected: 0..16)");
    assertMalformed(
        REQUEST + "{\"at_ms\":1,\"status\":{}}\n{\"at_ms\":1,\"event\":{}}",
        ":3: event: after status (expected: nothing)");
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    Files.write(file, new byte[] {'{', (byte) 0xff});
    assertThatThrownBy(() -> RecordingReader.read(file))
        .hasMessage(file + ":1: text: not UTF-8 (expected: JSON)");
  }

  private void assertMalformed(String text, String problem) throws IOException {
    Files.write(file, text.getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> RecordingReader.read(file)).hasMessageStartingWith(file + problem);
  }

  @Test
  void whatHasNoEndOrIsNoFileIsRefused() {
    assertThatThrownBy(() -> RecordingReader.read(Path.of("/dev/zero")))
        .hasMessage("/dev/zero: more than 67108864 bytes (expected: at most so many)");
    assertThatThrownBy(() -> RecordingReader.read(directory))
        .hasMessage(directory + ": a directory (expected: a recording)");
  }
}
