package io.sfumato.server.rpc;

import io.grpc.BindableService;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.sfumato.server.model.ModelCatalog;
import io.sfumato.server.session.NanoClock;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.ModelServiceGrpc;
import io.sfumato.v1.TokenServiceGrpc;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;

/**
 * The gRPC server: the contract's services, health and reflection, on Netty or whatever builder it
 * is given. Thread-safe.
 *
 * <p>Health is NOT_SERVING until {@link #serving} says otherwise.
 */
public final class RpcServer {

  private static final int RESET_WINDOW_SECONDS = 30;
  private static final List<String> SERVICES =
      List.of(
          HealthStatusManager.SERVICE_NAME_ALL_SERVICES,
          GenerationServiceGrpc.SERVICE_NAME,
          ModelServiceGrpc.SERVICE_NAME,
          TokenServiceGrpc.SERVICE_NAME);

  private final Server server;
  private final ExecutorService executor;
  private final HealthStatusManager health;

  private RpcServer(Server server, ExecutorService executor, HealthStatusManager health) {
    this.server = server;
    this.executor = executor;
    this.health = health;
  }

  /**
   * Starts to listen.
   *
   * @param models what is served; may still be loading
   * @param clock of the sessions
   * @param randomness source of seeds for requests without one, and of names for faults
   * @throws IOException when the address cannot be bound
   */
  public static RpcServer start(
      RpcSettings settings, ModelCatalog models, NanoClock clock, LongSupplier randomness)
      throws IOException {
    return start(netty(settings), settings.threads(), models, clock, randomness);
  }

  /** As {@link #start}, on another transport. */
  public static RpcServer start(
      ServerBuilder<?> builder,
      int threads,
      ModelCatalog models,
      NanoClock clock,
      LongSupplier randomness)
      throws IOException {
    ExecutorService executor = Executors.newFixedThreadPool(threads, rpcThreads());
    StatusMapper statuses = new StatusMapper(randomness);
    HealthStatusManager health = new HealthStatusManager();
    List<BindableService> services =
        List.of(
            new GenerationService(
                new RequestValidator(models, randomness),
                new CallContext(statuses, clock),
                executor),
            new ModelService(models, statuses),
            new TokenService(models, statuses),
            health.getHealthService(),
            ProtoReflectionServiceV1.newInstance());
    services.forEach(builder::addService);
    RpcServer server = new RpcServer(builder.executor(executor).build(), executor, health);
    server.serving(false);
    try {
      server.server.start();
    } catch (IOException | RuntimeException error) {
      executor.shutdown();
      throw error;
    }
    return server;
  }

  private static NettyServerBuilder netty(RpcSettings settings) {
    return NettyServerBuilder.forAddress(settings.address(), InsecureServerCredentials.create())
        .maxInboundMessageSize(settings.maxInboundMessageBytes())
        .maxConcurrentCallsPerConnection(settings.maxCallsPerConnection())
        .permitKeepAliveTime(settings.permitKeepAliveInterval().toNanos(), TimeUnit.NANOSECONDS)
        .permitKeepAliveWithoutCalls(true)
        .keepAliveTime(settings.keepAliveInterval().toNanos(), TimeUnit.NANOSECONDS)
        .keepAliveTimeout(settings.keepAliveTimeout().toNanos(), TimeUnit.NANOSECONDS)
        .maxConnectionAge(settings.maxConnectionAge().toNanos(), TimeUnit.NANOSECONDS)
        .maxConnectionAgeGrace(settings.maxConnectionAgeGrace().toNanos(), TimeUnit.NANOSECONDS)
        .handshakeTimeout(settings.handshakeTimeout().toNanos(), TimeUnit.NANOSECONDS)
        .maxRstFramesPerWindow(settings.maxResetsPerWindow(), RESET_WINDOW_SECONDS);
  }

  private static java.util.concurrent.ThreadFactory rpcThreads() {
    AtomicInteger count = new AtomicInteger();
    return task -> {
      Thread thread = new Thread(task, "rpc-" + count.incrementAndGet());
      thread.setDaemon(true);
      return thread;
    };
  }

  /** The port it listens on, in TCP. */
  public int port() {
    return server.getPort();
  }

  /** Tells health checks whether calls can be answered. */
  public void serving(boolean serving) {
    for (String service : SERVICES) {
      health.setStatus(service, serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
    }
  }

  /**
   * Takes no more calls, lets those at work end, and cuts off what is left after a time.
   *
   * @return whether all ended by themselves
   */
  public boolean shutdown(Duration grace) throws InterruptedException {
    health.enterTerminalState();
    server.shutdown();
    boolean ended = server.awaitTermination(grace.toNanos(), TimeUnit.NANOSECONDS);
    if (!ended) {
      server.shutdownNow();
      server.awaitTermination();
    }
    executor.shutdown();
    return ended;
  }

  /** Waits until it was shut down. */
  public void awaitTermination() throws InterruptedException {
    server.awaitTermination();
  }
}
