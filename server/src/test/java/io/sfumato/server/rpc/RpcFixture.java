package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.netty.NettyChannelBuilder;
import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineDevice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ModelCatalog;
import io.sfumato.server.model.ModelDefaults;
import io.sfumato.server.model.ModelEntry;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.sampling.UniformNoise;
import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.schedule.EngineLoopOptions;
import io.sfumato.server.session.SessionGate;
import io.sfumato.server.text.ByteCodec;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;

/**
 * A whole server over a scripted engine, and a channel to it. Models: {@code bytes} with {@link
 * ByteCodec}, {@code ids} the same without a tokenizer, {@code late} which is still loading.
 */
final class RpcFixture implements AutoCloseable {

  static final int CONTEXT = 512;

  private static final AtomicLong NAMES = new AtomicLong();

  final ScriptedEngine engine;
  final EngineLoop loop;
  final RecordingGate gate;
  final RpcServer server;
  final ManagedChannel channel;
  final ModelCatalog catalog;

  /** How client and server talk. */
  enum Transport {
    NETTY,
    IN_PROCESS
  }

  RpcFixture(Transport transport, ScriptedEngine.Script script) throws IOException {
    this(transport, script, 8);
  }

  RpcFixture(Transport transport, ScriptedEngine.Script script, int slots) throws IOException {
    this(transport, script, slots, info(), defaults());
  }

  /** Models of uniform noise. */
  static RpcFixture uniform(ScriptedEngine.Script script) throws IOException {
    EngineInfo info = info(AttentionKind.ENCODER_CANVAS, false);
    return new RpcFixture(Transport.IN_PROCESS, script, 8, info, uniformDefaults());
  }

  /** Models that denoise masks over a context that they encode causally. */
  static RpcFixture seeding(ScriptedEngine.Script script) throws IOException {
    return new RpcFixture(Transport.IN_PROCESS, script, 8, seedingInfo(), seedingDefaults());
  }

  static EngineInfo seedingInfo() {
    return info(AttentionKind.ENCODER_CANVAS, ByteCodec.MASK, false);
  }

  private RpcFixture(
      Transport transport,
      ScriptedEngine.Script script,
      int slots,
      EngineInfo info,
      ModelDefaults defaults)
      throws IOException {
    int pages = info.keyValueCache() ? slots * CONTEXT / 16 : 64;
    engine =
        new ScriptedEngine(info, new EngineLimits(slots, 16, 4096, 2048, 3, pages, 16), script);
    loop =
        new EngineLoop(
            engine,
            new EngineLoopOptions("engine-test", 16, -1, 0, "s-"),
            System::nanoTime,
            () -> {});
    gate = new RecordingGate(loop);
    catalog = catalog(gate, info, defaults);
    AtomicLong randomness = new AtomicLong(1);
    String name = "rpc-test-" + NAMES.incrementAndGet();
    if (transport == Transport.NETTY) {
      InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
      server =
          RpcServer.start(
              RpcSettings.defaults(address),
              catalog,
              System::nanoTime,
              randomness::incrementAndGet);
      channel = NettyChannelBuilder.forAddress("localhost", server.port()).usePlaintext().build();
    } else {
      server =
          RpcServer.start(
              InProcessServerBuilder.forName(name),
              2,
              catalog,
              System::nanoTime,
              randomness::incrementAndGet);
      channel = InProcessChannelBuilder.forName(name).build();
    }
    loop.start();
  }

  static EngineInfo info() {
    return info(AttentionKind.FULL, true);
  }

  static EngineInfo info(AttentionKind attention, boolean approximateCache) {
    int mask = attention == AttentionKind.ENCODER_CANVAS ? -1 : ByteCodec.MASK;
    return info(attention, mask, approximateCache);
  }

  private static EngineInfo info(AttentionKind attention, int mask, boolean approximateCache) {
    boolean encodes = attention == AttentionKind.ENCODER_CANVAS;
    return new EngineInfo(
        "scripted",
        "none",
        "none",
        ByteCodec.VOCABULARY,
        1,
        1,
        CONTEXT,
        mask,
        ByteCodec.END,
        -1,
        attention,
        encodes,
        approximateCache,
        false,
        encodes ? 8 : 0,
        1,
        0,
        0,
        0,
        EngineDevice.HOST);
  }

  static ModelDefaults defaults() {
    return defaults(false);
  }

  /**
   * @param blockCausal whether positions see their own and earlier blocks only
   */
  static ModelDefaults defaults(boolean blockCausal) {
    return new ModelDefaults(
        64,
        32,
        0,
        16,
        1,
        TemperatureSchedule.GREEDY,
        new AcceptanceSpec.ConfidenceThreshold(.9f),
        new RevisionSpec(.05f, 2),
        new int[] {ByteCodec.END},
        0,
        blockCausal,
        Optional.empty());
  }

  static ModelDefaults uniformDefaults() {
    return new ModelDefaults(
        20,
        8,
        0,
        6,
        1,
        new TemperatureSchedule(.8f, .4f),
        new AcceptanceSpec.EntropyBound(.1f),
        RevisionSpec.NONE,
        new int[] {ByteCodec.END},
        8,
        false,
        Optional.of(new UniformNoise(1, .005f)));
  }

  static ModelDefaults seedingDefaults() {
    return new ModelDefaults(
        20,
        8,
        0,
        16,
        1,
        TemperatureSchedule.GREEDY,
        new AcceptanceSpec.ConfidenceThreshold(.9f),
        RevisionSpec.NONE,
        new int[] {ByteCodec.END},
        8,
        false,
        Optional.empty());
  }

  static ModelCatalog catalog(SessionGate gate) {
    return catalog(gate, info(), defaults());
  }

  static ModelCatalog catalog(SessionGate gate, EngineInfo info, ModelDefaults defaults) {
    EngineInfo without = info(info.attention(), info.maskTokenId(), false);
    ServedModel bytes =
        new ServedModel("bytes", "00ff", info, defaults, Optional.of(new ByteCodec()), 3, gate);
    ServedModel ids = new ServedModel("ids", "11ee", without, defaults, Optional.empty(), 3, gate);
    List<ModelEntry> entries =
        List.of(
            new ModelEntry("bytes", ModelEntry.State.READY, "", Optional.of(bytes)),
            new ModelEntry("ids", ModelEntry.State.READY, "", Optional.of(ids)),
            new ModelEntry("late", ModelEntry.State.LOADING, "reading weights", Optional.empty()));
    return new FixedCatalog(entries);
  }

  /** Models that stay as they are. */
  private record FixedCatalog(List<ModelEntry> entries) implements ModelCatalog {

    @Override
    public ServedModel require(String name) {
      for (ModelEntry entry : entries) {
        if (name.isEmpty() || entry.name().equals(name)) {
          return entry
              .served()
              .orElseThrow(() ->
                  new ServingException(
                      ErrorReason.MODEL_LOADING,
                      "model: " + name + " (expected: loaded)",
                      List.of(),
                      Map.of(),
                      TimeUnit.SECONDS.toNanos(2),
                      null));
        }
      }
      throw new ServingException(
          ErrorReason.MODEL_NOT_FOUND,
          "model: " + name + " (expected: one of bytes, ids, late)",
          List.of(),
          Map.of("model", name),
          0,
          null);
    }
  }

  /** Waits until something holds. */
  static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("20 s").isLessThan(end);
      Thread.sleep(1);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      server.shutdown(Duration.ofSeconds(5));
      channel.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    loop.close();
  }
}
