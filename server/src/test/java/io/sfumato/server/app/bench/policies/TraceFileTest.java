package io.sfumato.server.app.bench.policies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.server.error.ServingException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written comes back, and what is not a trace file is refused by name. */
final class TraceFileTest {

  // Offsets in bytes.
  private static final int VERSION = 4;
  private static final int CANVAS = 44;
  private static final int WINDOW = 52;
  private static final int END_OF_TEXT_COUNT = 56;
  private static final int TRACES = 64;
  private static final int PROMPT_COUNT = 68;
  private static final int PROMPT = 72;
  private static final int PASSES = 80;
  private static final int UNDECIDED = 84;
  private static final int ROWS = 85;
  private static final int TOKEN = 89;
  private static final int PROBABILITY = 93;
  private static final int ENTROPY = 101;
  private static final int SECOND_UNDECIDED = 121;

  @TempDir private Path directory;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = directory.resolve("traces");
    TraceHeader header = Traces.header(2);
    try (TraceWriter writer = new TraceWriter(file, header)) {
      writer.write(Traces.threeTokens(header));
      writer.write(Traces.oneToken(header));
    }
  }

  @Test
  void whatIsWrittenComesBack() throws IOException {
    try (TraceReader reader = new TraceReader(file)) {
      TraceHeader header = reader.header();
      assertThat(header).usingRecursiveComparison().isEqualTo(Traces.header(2));
      assertThat(reader.next().orElseThrow())
          .usingRecursiveComparison()
          .isEqualTo(Traces.threeTokens(header));
      assertThat(reader.next().orElseThrow())
          .usingRecursiveComparison()
          .isEqualTo(Traces.oneToken(header));
      assertThat(reader.next()).isEmpty();
    }
  }

  @Test
  void aFigureThatIsNoNumberComesBack() throws IOException {
    TraceHeader header = new TraceHeader(Traces.DIGEST, 10, 1, 1, 1, new int[0], 1);
    TracePass pass = Traces.pass(Traces.of(0), Traces.row(3, Float.NaN, Float.NaN, Float.NaN));
    try (TraceWriter writer = new TraceWriter(file, header)) {
      writer.write(new CandidateTrace(header, new int[0], List.of(pass), new int[] {3}));
    }
    try (TraceReader reader = new TraceReader(file)) {
      CandidateTrace trace = reader.next().orElseThrow();
      assertThat(trace.passes().getFirst().probability(0)).isNaN();
      assertThat(trace.passes().getFirst().entropy(0)).isNaN();
    }
  }

  @Test
  void headersOutOfRangeAreRefused() throws IOException {
    assertRefused(bytes -> bytes.putInt(0, 7), "header: magic: 00000007 (expected: 53465054)");
    assertRefused(bytes -> bytes.putInt(VERSION, 2), "header: version: 2 (expected: 1..1)");
    assertRefused(
        bytes -> bytes.putInt(CANVAS, 5000), "header: canvas_length: 5000 (expected: 1..4096)");
    assertRefused(bytes -> bytes.putInt(WINDOW, 5), "header: window_length: 5 (expected: 1..4)");
    assertRefused(
        bytes -> bytes.putInt(END_OF_TEXT_COUNT, Integer.MAX_VALUE),
        "header: end_of_text tokens: 2147483647 (expected: 0..64)");
    assertRefused(bytes -> bytes.putInt(TRACES, 0), "header: traces: 0 (expected: 1..10000)");
  }

  @Test
  void tracesOutOfRangeAreRefused() throws IOException {
    assertRefused(
        bytes -> bytes.putInt(PROMPT_COUNT, -1), "trace 0: prompt tokens: -1 (expected: 0..65536)");
    assertRefused(bytes -> bytes.putInt(PROMPT, 10), "trace 0: prompt[0]: 10 (expected: 0..9)");
    assertRefused(bytes -> bytes.putInt(PASSES, 5), "trace 0: passes: 5 (expected: 1..4)");
    assertRefused(bytes -> bytes.putInt(ROWS, 3), "trace 0: rows: 3 (expected: 1..2)");
    assertRefused(
        bytes -> bytes.putInt(TOKEN, -1), "trace 0: pass 0 token[0]: -1 (expected: 0..9)");
    assertRefused(
        bytes -> bytes.putFloat(PROBABILITY, 1.5f),
        "trace 0: probability: 1.5 (expected: 0..1, or NaN)");
    assertRefused(
        bytes -> bytes.putFloat(ENTROPY, -1), "trace 0: entropy: -1.0 (expected: >= 0, or NaN)");
  }

  @Test
  void coursesThatNoSessionTakesAreRefused() throws IOException {
    assertRefused(
        bytes -> bytes.put(UNDECIDED, (byte) 0b0111),
        "trace 0: pass 0 undecided: 3 (expected: 4..4)");
    assertRefused(
        bytes -> bytes.put(UNDECIDED, (byte) 0b11111),
        "trace 0: pass 0: position 4 undecided (expected: decided, or within 4)");
    assertRefused(
        bytes -> bytes.put(SECOND_UNDECIDED, (byte) 0b1111),
        "trace 0: pass 1 undecided: 4 (expected: 1..3)");
    TraceHeader header = Traces.header(1);
    List<TracePass> passes = Traces.threeTokens(header).passes();
    List<TracePass> gap = List.of(passes.get(0), gapAtOne(), passes.get(2), passes.get(3));
    assertThatThrownBy(() -> new CandidateTrace(header, new int[0], gap, new int[] {5, 6, 7}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("pass 2: position 1 again (expected: no gap in its passes)");
    assertThatThrownBy(
            () -> new CandidateTrace(header, new int[0], passes.subList(0, 3), new int[] {5, 6, 7}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("position 3: no candidate (expected: one in some pass)");
  }

  /** Asks for nothing at position 1, which the passes before and after it do. */
  private static TracePass gapAtOne() {
    return Traces.pass(Traces.of(0, 1, 3), Traces.row(6, .7f, .2f, .8f));
  }

  @Test
  void filesThatEndTooEarlyOrTooLateAreRefused() throws IOException {
    byte[] whole = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(whole, TRACES));
    assertThatThrownBy(this::readAll)
        .isInstanceOf(ServingException.class)
        .hasMessage(file + ": header: end of file (expected: a whole header)");
    Files.write(file, Arrays.copyOf(whole, whole.length - 1));
    assertThatThrownBy(this::readAll)
        .isInstanceOf(ServingException.class)
        .hasMessage(file + ": trace 1: end of file (expected: a whole trace)");
    Files.write(file, Arrays.copyOf(whole, whole.length + 1));
    assertThatThrownBy(this::readAll)
        .isInstanceOf(ServingException.class)
        .hasMessage(file + ": end: more bytes (expected: none after 2 traces)");
  }

  private void assertRefused(Consumer<ByteBuffer> damage, String message) throws IOException {
    byte[] whole = Files.readAllBytes(file);
    byte[] damaged = whole.clone();
    damage.accept(ByteBuffer.wrap(damaged));
    Files.write(file, damaged);
    assertThatThrownBy(this::readAll)
        .isInstanceOf(ServingException.class)
        .hasMessage(file + ": " + message);
    Files.write(file, whole);
  }

  private void readAll() throws IOException {
    try (TraceReader reader = new TraceReader(file)) {
      while (reader.next().isPresent()) {}
    }
  }
}
