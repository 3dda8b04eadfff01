package io.sfumato.samples;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusException;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The samples against a server of its own, in a process of its own, with the embedded model. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
final class SamplesTest {

  private static final String LISTENING = "listening on port ";

  private static Process server;
  private static ManagedChannel channel;

  @BeforeAll
  static void startServer() throws IOException {
    Path home = Path.of("").toAbsolutePath().getParent().getParent();
    server =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-Dai.djl.offline=true",
                "-Dsfumato.home=" + home,
                "-cp",
                System.getProperty("java.class.path"),
                "io.sfumato.server.app.Main",
                "serve",
                "--listen",
                "127.0.0.1:0")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(server.getInputStream(), UTF_8));
    String listening = lines.readLine();
    assertThat(listening).startsWith(LISTENING);
    assertThat(lines.readLine()).isEqualTo("model sfumato-tales: ready");
    channel =
        Grpc.newChannelBuilder(
                "127.0.0.1:" + listening.substring(LISTENING.length()),
                InsecureChannelCredentials.create())
            .build();
  }

  @AfterAll
  static void stopServer() throws InterruptedException {
    if (channel != null) {
      channel.shutdownNow();
    }
    server.destroy();
    assertThat(server.waitFor(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void canvasesComeIntoFocusAndEndInTheText() throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    String text =
        new WatchCanvas()
            .watch(
                channel,
                "Tell me a story about a lost kite.",
                new PrintStream(printed, true, UTF_8));
    assertThat(text).contains("kite");
    List<String> lines = printed.toString(UTF_8).lines().toList();
    List<String> canvases = lines.subList(0, lines.size() - (int) text.lines().count());
    assertThat(canvases).hasSizeGreaterThan(3);
    assertThat(canvases.getFirst()).contains("░");
    // What comes after the end of the text stays undecided.
    assertThat(canvases.getLast().replaceFirst("░*$", "")).isEqualTo(text.replace('\n', '⏎'));
    assertThat(printed.toString(UTF_8)).endsWith(text + System.lineSeparator());
  }

  @Test
  void whatWasPinnedStaysAndTheBestGuessIsTaken() throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    SteerCanvas sample = new SteerCanvas(new PrintStream(printed, true, UTF_8));
    String text = sample.steer(channel, "Tell me a story about a lost kite.");
    assertThat(sample.pinned()).isNotBlank();
    assertThat(text).startsWith(sample.pinned());
    assertThat(printed.toString(UTF_8)).containsPattern("control 1 (took effect|was refused)");
  }

  @Test
  void refusalReachesTheCaller() {
    String longerThanTheContext = "kite ".repeat(10000);
    PrintStream out = new PrintStream(new ByteArrayOutputStream(), true, UTF_8);
    assertThatThrownBy(() -> new WatchCanvas().watch(channel, longerThanTheContext, out))
        .isInstanceOfSatisfying(
            StatusException.class,
            refusal ->
                assertThat(refusal.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT));
  }
}
