package io.sfumato.server.app;

import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.ModelEntry;
import io.sfumato.server.model.ModelLoader;
import io.sfumato.server.model.ModelRegistry;
import io.sfumato.server.model.ReopenRules;
import io.sfumato.server.rpc.RpcServer;
import io.sfumato.server.session.NanoClock;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Clock;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * A running server: the models, the gRPC services over them, and how both end. Thread-safe.
 *
 * <p>It listens at once and says NOT_SERVING until its models have been loaded and warmed up.
 */
final class Server implements AutoCloseable {

  private static final long POLL_MILLIS = 20;

  private final ServerConfiguration configuration;
  private final ModelRegistry models;
  private volatile RpcServer rpc;
  private volatile boolean ending;

  private Server(ServerConfiguration configuration, EngineFactory engines) throws IOException {
    this.configuration = configuration;
    NanoClock clock = System::nanoTime;
    SecureRandom randomness = new SecureRandom();
    String sessionPrefix = HexFormat.of().toHexDigits(randomness.nextInt()) + "-";
    ModelLoader loader = new ModelLoader(engines, clock, Clock.systemUTC(), sessionPrefix);
    models =
        new ModelRegistry(
            configuration.models(), loader::load, ReopenRules.USUAL, clock, this::modelsChanged);
    models.start(); // first, because it takes longer
    try {
      rpc = RpcServer.start(configuration.rpc(), models, clock, randomness::nextLong);
    } catch (IOException | RuntimeException failure) {
      models.close();
      throw failure;
    }
    modelsChanged();
  }

  /**
   * Starts to load and to listen.
   *
   * @throws IOException when the address cannot be bound
   */
  static Server start(ServerConfiguration configuration, EngineFactory engines) throws IOException {
    return new Server(configuration, engines);
  }

  private void modelsChanged() {
    RpcServer listening = rpc; // null while the first model is faster than the transport
    if (listening != null) {
      listening.serving(!ending && models.isWarm());
    }
  }

  /** The port it listens on. */
  int port() {
    return rpc.port();
  }

  /** Waits until every model is ready or has failed, and tells how each has fared. */
  List<ModelEntry> awaitModels() throws InterruptedException {
    models.awaitSettled();
    return models.entries();
  }

  /** Sessions that run or wait. */
  int sessions() {
    return models.sessions();
  }

  /** Waits until it has been shut down. */
  void awaitTermination() throws InterruptedException {
    rpc.awaitTermination();
  }

  /**
   * Takes no new sessions, gives those that run their time, lets the rest commit their best guess,
   * and ends.
   *
   * @return whether every call ended by itself
   */
  boolean shutdown() throws InterruptedException {
    ending = true;
    rpc.serving(false);
    models.stopAdmitting();
    long finishNanos = System.nanoTime() + configuration.drain().finish().toNanos();
    while (models.sessions() > 0 && System.nanoTime() < finishNanos) {
      Thread.sleep(POLL_MILLIS);
    }
    CompletableFuture<Void> drained = models.drain();
    boolean ended = rpc.shutdown(configuration.drain().grace());
    models.close();
    drained.join();
    return ended;
  }

  @Override
  public void close() {
    try {
      shutdown();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      models.close();
    }
  }
}
