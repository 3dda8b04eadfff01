package io.sfumato.server.model;

import io.sfumato.engine.EngineDevice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.NanoClock;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * The models of a server, loaded one after the other on a thread of their own. Thread-safe.
 *
 * <p>A model is LOADING until it answers, then READY; one that cannot be loaded is FAILED and stays
 * so. One whose engine has failed is LOADING again, and opened anew after some time, as often as
 * the rules say; then it is FAILED.
 */
public final class ModelRegistry implements ModelCatalog, AutoCloseable {

  /** Loads one model; {@link ModelLoader#load} in a server. */
  @FunctionalInterface
  public interface Loading {
    LoadedModel load(ModelSource source, Runnable whenLost) throws InterruptedException;
  }

  private static final Logger LOG = System.getLogger(ModelRegistry.class.getName());
  private static final long LOADING_RETRY_NANOS = 1_000_000_000L;

  private final Loading loading;
  private final ReopenRules rules;
  private final NanoClock clock;
  private final Runnable whenChanged;
  private final Map<String, ModelLife> lives = new LinkedHashMap<>();
  private final CountDownLatch settled = new CountDownLatch(1);
  private final ScheduledThreadPoolExecutor thread;
  private boolean closed;

  /**
   * @param sources at least one, names unique
   * @param whenChanged called after every change of a state, on the thread that made it; must not
   *     block
   */
  public ModelRegistry(
      List<ModelSource> sources,
      Loading loading,
      ReopenRules rules,
      NanoClock clock,
      Runnable whenChanged) {
    if (sources.isEmpty()) {
      throw new IllegalArgumentException("models: none (expected: at least one)");
    }
    this.loading = loading;
    this.rules = rules;
    this.clock = clock;
    this.whenChanged = whenChanged;
    for (ModelSource source : sources) {
      if (lives.put(source.name(), new ModelLife(source)) != null) {
        throw new IllegalArgumentException(
            "models: " + source.name() + " twice (expected: unique names)");
      }
    }
    thread =
        new ScheduledThreadPoolExecutor(
            1, work -> Thread.ofPlatform().daemon().name("models").unstarted(work));
  }

  /** Starts loading. */
  public void start() {
    thread.execute(this::loadAll);
  }

  private void loadAll() {
    try {
      for (ModelLife life : lives.values()) {
        load(life).ifPresent(why -> change(() -> life.set(ModelEntry.State.FAILED, why)));
      }
    } catch (InterruptedException e) {
      LOG.log(Level.DEBUG, "loading was interrupted");
    } finally {
      settled.countDown();
    }
  }

  /** Returns why it cannot be loaded; empty when it was. */
  private Optional<String> load(ModelLife life) throws InterruptedException {
    ModelSource source = life.source();
    change(life::begin);
    LoadedModel model;
    try {
      model = loading.load(source, () -> failed(life, "its engine failed"));
    } catch (RuntimeException | Error e) {
      // An Error, too: the executor would keep it to itself, and the models behind would never
      // load.
      String why = e instanceof Error ? e.toString() : String.valueOf(e.getMessage());
      LOG.log(Level.ERROR, "model " + source.name() + " cannot be loaded: " + why);
      LOG.log(Level.DEBUG, "model " + source.name(), e);
      return Optional.of(why);
    }
    boolean late;
    boolean ready;
    synchronized (this) {
      late = closed;
      ready = !late && life.loaded(model, clock.nanoTime());
    }
    if (late) {
      model.close();
    }
    if (!ready) {
      return Optional.empty(); // or its engine has failed already
    }
    whenChanged.run();
    LOG.log(Level.INFO, "model " + source.name() + ": " + whereItRuns(model.served().engine()));
    model
        .warnings()
        .forEach(warning -> LOG.log(Level.INFO, "model " + source.name() + ": " + warning));
    return Optional.empty();
  }

  private static String whereItRuns(EngineInfo info) {
    EngineDevice device = info.device();
    String memory =
        String.format(
            Locale.ROOT,
            "%s, %,d MiB of weights, %,d MiB of key-value pages, %,d MiB of other state",
            device.name(),
            info.weightBytes() >> 20,
            device.pageBytes() >> 20,
            (info.stateBytes() - device.pageBytes()) >> 20);
    if (device.reservedBytes() > 0) {
      memory +=
          String.format(
              Locale.ROOT,
              "; took %,d of %,d free MiB of the GPU's %,d",
              device.reservedBytes() >> 20,
              device.freeBytes() >> 20,
              device.totalBytes() >> 20);
    }
    return device.note().isEmpty() ? memory : memory + "; no GPU: " + device.note();
  }

  /** On the engine's thread, or the registry's after an attempt that failed. */
  private void failed(ModelLife life, String what) {
    long delay;
    String message;
    synchronized (this) {
      delay = life.failed(what, rules, clock.nanoTime());
      message = life.entry().message();
    }
    LOG.log(Level.WARNING, "model " + life.source().name() + ": " + message);
    whenChanged.run();
    synchronized (this) {
      if (delay >= 0 && !closed) {
        var unused = thread.schedule(() -> reopen(life), delay, TimeUnit.NANOSECONDS);
      }
    }
  }

  /** On the registry's thread, behind the load that the failed engine came from. */
  private void reopen(ModelLife life) {
    Optional<LoadedModel> failed;
    Optional<LoadedModel> before = Optional.empty();
    synchronized (this) {
      failed = life.model();
      if (failed.isPresent()) {
        before = life.retire();
      }
    }
    failed.ifPresent(model -> model.loop().close());
    before.ifPresent(LoadedModel::close);
    try {
      load(life).ifPresent(why -> failed(life, why));
    } catch (InterruptedException e) {
      LOG.log(Level.DEBUG, "opening again was interrupted");
    }
  }

  private void change(Runnable change) {
    synchronized (this) {
      change.run();
    }
    whenChanged.run();
  }

  @Override
  public synchronized List<ModelEntry> entries() {
    return lives.values().stream().map(ModelLife::entry).toList();
  }

  @Override
  public ServedModel require(String name) {
    String wanted = name.isEmpty() ? lives.keySet().iterator().next() : name;
    ModelLife life = lives.get(wanted);
    if (life == null) {
      throw new ServingException(
          ErrorReason.MODEL_NOT_FOUND,
          "model: " + wanted + " (expected: " + String.join(", ", lives.keySet()) + ")",
          List.of(),
          Map.of("model", wanted),
          0,
          null);
    }
    ModelEntry entry;
    synchronized (this) {
      entry = life.entry();
    }
    return switch (entry.state()) {
      case READY -> entry.served().orElseThrow();
      case LOADING ->
          throw new ServingException(
              ErrorReason.MODEL_LOADING,
              "model: " + wanted + " is loading (expected: ready)",
              List.of(),
              Map.of("model", wanted),
              LOADING_RETRY_NANOS,
              null);
      case FAILED ->
          throw new ServingException(
              ErrorReason.ENGINE_LOST,
              "model: " + wanted + " cannot be used: " + entry.message(),
              List.of(),
              Map.of("model", wanted),
              0,
              null);
    };
  }

  /** Whether no model is loading any more, and at least one is ready. */
  public synchronized boolean isWarm() {
    return entries().stream().noneMatch(entry -> entry.state() == ModelEntry.State.LOADING)
        && entries().stream().anyMatch(entry -> entry.state() == ModelEntry.State.READY);
  }

  /** Waits until every model is READY or FAILED. */
  public void awaitSettled() throws InterruptedException {
    settled.await();
  }

  /** Refuses new sessions on all models; those that run or wait go on. */
  public void stopAdmitting() {
    models().forEach(model -> model.loop().stopAdmitting());
  }

  /** Sessions that run or wait, of all models. */
  public int sessions() {
    return models().stream()
        .mapToInt(model -> model.loop().load().running() + model.loop().waiting())
        .sum();
  }

  private synchronized List<LoadedModel> models() {
    return lives.values().stream().flatMap(life -> life.model().stream()).toList();
  }

  /**
   * Refuses new sessions on all models, and lets those that run commit their best guess.
   *
   * @return completes when no session is left
   */
  public CompletableFuture<Void> drain() {
    return CompletableFuture.allOf(
        models().stream().map(model -> model.loop().drain()).toArray(CompletableFuture[]::new));
  }

  /** Ends loading and all sessions, and closes all models. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    thread.shutdownNow();
    models().forEach(LoadedModel::close);
    retired().forEach(LoadedModel::close);
  }

  private synchronized List<LoadedModel> retired() {
    return lives.values().stream().flatMap(life -> life.retired().stream()).toList();
  }
}
