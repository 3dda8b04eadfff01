package io.sfumato.server.app;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.ModelEntry;
import io.sfumato.server.model.ModelSource;
import io.sfumato.server.rpc.RpcSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A client's connection: to a server somewhere, or to one of its own that ends with it. Both are
 * reached over TCP. Thread-safe.
 */
public final class Link implements AutoCloseable {

  private final Optional<Server> server;
  private final ManagedChannel channel;

  private Link(Optional<Server> server, String target) {
    this.server = server;
    channel = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
  }

  /**
   * @param address HOST:PORT
   */
  static Link to(String address) {
    return new Link(Optional.empty(), address);
  }

  /**
   * Starts a server with one model on a free port of the loopback interface. The model is still
   * loading when this returns.
   */
  static Link loading(ModelSource model, EngineFactory engines) throws IOException {
    RpcSettings rpc =
        RpcSettings.defaults(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    Server server =
        Server.start(new ServerConfiguration(rpc, List.of(model), Drain.AT_ONCE), engines);
    return new Link(Optional.of(server), "127.0.0.1:" + server.port());
  }

  /**
   * Waits until the model of a server of its own is ready; a server elsewhere says so itself.
   *
   * @throws ServingException MODEL_CAPABILITY when the model cannot be loaded
   */
  void awaitReady() throws InterruptedException {
    if (server.isEmpty()) {
      return;
    }
    ModelEntry entry = server.get().awaitModels().getFirst();
    if (entry.state() != ModelEntry.State.READY) {
      throw new ServingException(ErrorReason.MODEL_CAPABILITY, entry.message());
    }
  }

  /** For stubs. */
  public ManagedChannel channel() {
    return channel;
  }

  /** The port of a server of its own. */
  Optional<Integer> ownPort() {
    return server.map(Server::port);
  }

  @Override
  public void close() {
    channel.shutdown();
    try {
      if (!channel.awaitTermination(1, TimeUnit.SECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException e) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
    server.ifPresent(Server::close);
  }
}
