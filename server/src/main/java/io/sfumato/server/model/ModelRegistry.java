package io.sfumato.server.model;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/**
 * The models of a server, loaded one after the other on a thread of their own. Thread-safe.
 *
 * <p>A model is LOADING until it answers, then READY; one that cannot be loaded, or whose engine
 * has failed, is FAILED and stays so.
 */
public final class ModelRegistry implements ModelCatalog, AutoCloseable {

  /** Loads one model; {@link ModelLoader#load} in a server. */
  @FunctionalInterface
  public interface Loading {
    LoadedModel load(ModelSource source, Runnable whenLost) throws InterruptedException;
  }

  private static final Logger LOG = System.getLogger(ModelRegistry.class.getName());
  private static final long LOADING_RETRY_NANOS = 1_000_000_000L;

  private final List<ModelSource> sources;
  private final Loading loading;
  private final Runnable whenChanged;
  private final Map<String, ModelEntry> entries = new LinkedHashMap<>();
  private final List<LoadedModel> loaded = new ArrayList<>();
  private final CountDownLatch settled = new CountDownLatch(1);
  private Thread thread;
  private boolean closed;

  /**
   * @param sources at least one, names unique
   * @param whenChanged called after every change of a state, on the thread that made it; must not
   *     block
   */
  public ModelRegistry(List<ModelSource> sources, Loading loading, Runnable whenChanged) {
    if (sources.isEmpty()) {
      throw new IllegalArgumentException("models: none (expected: at least one)");
    }
    this.sources = List.copyOf(sources);
    this.loading = loading;
    this.whenChanged = whenChanged;
    for (ModelSource source : sources) {
      ModelEntry entry =
          new ModelEntry(
              source.name(), ModelEntry.State.LOADING, "waiting to be loaded", Optional.empty());
      if (entries.put(source.name(), entry) != null) {
        throw new IllegalArgumentException(
            "models: " + source.name() + " twice (expected: unique names)");
      }
    }
  }

  /** Starts loading. */
  public synchronized void start() {
    thread = Thread.ofPlatform().daemon().name("models").start(this::loadAll);
  }

  private void loadAll() {
    try {
      for (ModelSource source : sources) {
        loadOne(source);
      }
    } catch (InterruptedException e) {
      LOG.log(Level.DEBUG, "loading was interrupted");
    } finally {
      settled.countDown();
    }
  }

  private void loadOne(ModelSource source) throws InterruptedException {
    set(source.name(), ModelEntry.State.LOADING, "loading " + source.directory(), Optional.empty());
    LoadedModel model;
    try {
      model =
          loading.load(
              source,
              () ->
                  set(
                      source.name(),
                      ModelEntry.State.FAILED,
                      "its engine failed",
                      Optional.empty()));
    } catch (RuntimeException e) {
      LOG.log(Level.ERROR, "model " + source.name() + " cannot be loaded: " + e.getMessage());
      LOG.log(Level.DEBUG, "model " + source.name(), e);
      set(source.name(), ModelEntry.State.FAILED, String.valueOf(e.getMessage()), Optional.empty());
      return;
    }
    if (!keep(model)) {
      model.close();
      return;
    }
    model
        .warnings()
        .forEach(warning -> LOG.log(Level.INFO, "model " + source.name() + ": " + warning));
    set(source.name(), ModelEntry.State.READY, "", Optional.of(model.served()));
  }

  private synchronized boolean keep(LoadedModel model) {
    return !closed && loaded.add(model);
  }

  private void set(
      String name, ModelEntry.State state, String message, Optional<ServedModel> served) {
    synchronized (this) {
      if (entries.get(name).state() == ModelEntry.State.FAILED) {
        return;
      }
      entries.put(name, new ModelEntry(name, state, message, served));
    }
    whenChanged.run();
  }

  @Override
  public synchronized List<ModelEntry> entries() {
    return List.copyOf(entries.values());
  }

  @Override
  public ServedModel require(String name) {
    String wanted = name.isEmpty() ? sources.getFirst().name() : name;
    ModelEntry entry;
    synchronized (this) {
      entry = entries.get(wanted);
    }
    if (entry == null) {
      throw new ServingException(
          ErrorReason.MODEL_NOT_FOUND,
          "model: " + wanted + " (expected: " + String.join(", ", names()) + ")",
          List.of(),
          Map.of("model", wanted),
          0,
          null);
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
    return entries.values().stream().noneMatch(entry -> entry.state() == ModelEntry.State.LOADING)
        && entries.values().stream().anyMatch(entry -> entry.state() == ModelEntry.State.READY);
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
    return List.copyOf(loaded);
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
      if (thread != null) {
        thread.interrupt();
      }
    }
    models().forEach(LoadedModel::close);
  }

  private List<String> names() {
    return sources.stream().map(ModelSource::name).toList();
  }
}
