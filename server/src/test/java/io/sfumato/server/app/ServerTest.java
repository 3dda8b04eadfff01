package io.sfumato.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.sfumato.server.app.terminal.CanvasView;
import io.sfumato.server.app.terminal.RunDisplay;
import io.sfumato.server.app.terminal.RunProgress;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.ModelSource;
import io.sfumato.server.rpc.RpcSettings;
import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.StopSpec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;

class ServerTest {

  private static final Path MODEL =
      Path.of("").toAbsolutePath().getParent().resolve("models/default");
  private static final int[] STORY = {300, 301, 302, 303, 304, 305, 306, 307};
  private static final int ASSISTANT = 4;

  private final EngineFactory engines = new StoryEngine(STORY, ASSISTANT);

  @Test
  void saysNotServingUntilTheModelIsWarm() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    EngineFactory slow =
        options -> {
          awaitLatch(go);
          return engines.open(options);
        };
    try (Server server = Server.start(configuration(Drain.AT_ONCE), slow)) {
      ManagedChannel channel = channel(server);
      assertThat(health(channel)).isEqualTo(ServingStatus.NOT_SERVING);
      go.countDown();
      server.awaitModels();
      assertThat(health(channel)).isEqualTo(ServingStatus.SERVING);
      channel.shutdownNow();
    }
  }

  @Test
  void sessionsAtWorkCommitTheirBestGuessWhenTheServerEnds() throws Exception {
    Semaphore steps = new Semaphore(10);
    EngineFactory gated = options -> new GatedEngine(engines.open(options), steps);
    Server server =
        Server.start(configuration(new Drain(Duration.ZERO, Duration.ofSeconds(20))), gated);
    server.awaitModels();
    ManagedChannel channel = channel(server);
    CountDownLatch seen = new CountDownLatch(1);
    RunFollower follower = new RunFollower(RunTitle.of(start()), signal(seen), Optional.empty());
    FutureTask<RunOutcome> run =
        new FutureTask<>(
            () -> CanvasRun.generate(channel, start(), CanvasRun.Audience.of(follower)));
    Thread.ofPlatform().start(run);
    seen.await();
    FutureTask<Boolean> shutdown = new FutureTask<>(server::shutdown);
    Thread.ofPlatform().start(shutdown);
    while (!run.isDone() && health(channel) == ServingStatus.SERVING) {
      Thread.onSpinWait();
    }
    steps.release(1_000);
    assertThat(run.get().finished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_SERVER_DRAINING);
    assertThat(run.get().finished().getUsage().getCommittedTokens()).isEqualTo(256);
    assertThat(shutdown.get()).isTrue();
    channel.shutdownNow();
  }

  @Test
  void aPortThatIsTakenIsRefused() throws Exception {
    try (Server server = Server.start(configuration(Drain.AT_ONCE), engines)) {
      RpcSettings taken =
          RpcSettings.defaults(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
      ServerConfiguration second =
          new ServerConfiguration(taken, List.of(ModelSource.of("m", MODEL)), Drain.AT_ONCE);
      assertThatThrownBy(() -> Server.start(second, engines))
          .isInstanceOf(IOException.class)
          .hasStackTraceContaining("ddress already in use");
    }
  }

  private static RunDisplay signal(CountDownLatch seen) {
    return new RunDisplay() {
      @Override
      public void show(CanvasView view, RunProgress progress) {
        seen.countDown();
      }

      @Override
      public void close() {}
    };
  }

  private static GenerateStart start() {
    return GenerateStart.newBuilder()
        .setPrompt(Prompt.newBuilder().setText("a"))
        .setCanvas(CanvasSpec.newBuilder().setMaxLengthTokens(256).setBlockLengthTokens(256))
        .setStop(StopSpec.newBuilder().setIgnoreEndOfText(true))
        .setStream(CanvasView.stream(0))
        .build();
  }

  private static ServerConfiguration configuration(Drain drain) {
    RpcSettings rpc =
        RpcSettings.defaults(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    return new ServerConfiguration(rpc, List.of(ModelSource.of("m", MODEL)), drain);
  }

  private static ManagedChannel channel(Server server) {
    return Grpc.newChannelBuilder("127.0.0.1:" + server.port(), InsecureChannelCredentials.create())
        .build();
  }

  private static ServingStatus health(ManagedChannel channel) {
    return HealthGrpc.newBlockingStub(channel)
        .check(HealthCheckRequest.getDefaultInstance())
        .getStatus();
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
