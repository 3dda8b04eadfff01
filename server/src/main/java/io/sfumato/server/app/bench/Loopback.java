package io.sfumato.server.app.bench;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.sfumato.server.rpc.RpcServer;
import io.sfumato.server.rpc.RpcSettings;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenIds;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;

/** A server of the scripted model on the loopback address and a connection to it. Thread-safe. */
record Loopback(RpcServer server, ManagedChannel channel) implements AutoCloseable {

  /** Starts to listen on a free port, and connects. */
  static Loopback start(ScriptedModel model) throws Exception {
    RpcServer server =
        RpcServer.start(
            RpcSettings.defaults(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
            model,
            System::nanoTime,
            () -> 1);
    server.serving(true);
    return new Loopback(server, connection(server).build());
  }

  /**
   * Another connection, for the caller to close.
   *
   * @param windowBytes what may be on its way to a client that does not read, in bytes
   */
  ManagedChannel connect(int windowBytes) {
    return connection(server).flowControlWindow(windowBytes).build();
  }

  private static NettyChannelBuilder connection(RpcServer server) {
    return NettyChannelBuilder.forAddress(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()))
        .usePlaintext();
  }

  /** The beginning of a session that shows every canvas. */
  static GenerateStart.Builder request(long seed) {
    GenerateStart.Builder start =
        GenerateStart.newBuilder()
            .setModel(ScriptedModel.NAME)
            .setPrompt(Prompt.newBuilder().setTokenIds(TokenIds.newBuilder().addIds(1)))
            .setStream(
                StreamSpec.newBuilder()
                    .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
                    .setIncludeTokenIds(true));
    start.getSamplingBuilder().setSeed(seed);
    return start;
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      server.shutdown(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
