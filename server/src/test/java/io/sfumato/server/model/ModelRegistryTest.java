package io.sfumato.server.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.engine.EngineException;
import io.sfumato.engine.EngineStatus;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.schedule.Specs;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelRegistryTest {

  @TempDir private Path directory;

  private final ModelLoader loader =
      new ModelLoader(ModelFiles::open, () -> 0, InstantSource.fixed(Instant.EPOCH), "s-");

  @Test
  void modelsLoadInOrderAndAnswerWhenReady() throws Exception {
    ModelFiles.complete(directory);
    CountDownLatch go = new CountDownLatch(1);
    AtomicInteger changes = new AtomicInteger();
    ModelRegistry.Loading loading =
        (source, whenLost) -> {
          go.await();
          return loader.load(source, whenLost);
        };
    List<ModelSource> sources =
        List.of(ModelSource.of("a", directory), ModelSource.of("b", directory));
    try (ModelRegistry registry = registry(sources, loading, changes::incrementAndGet)) {
      registry.start();
      assertThat(states(registry)).containsOnly(ModelEntry.State.LOADING);
      assertThat(registry.isWarm()).isFalse();
      assertThatThrownBy(() -> registry.require(""))
          .isInstanceOfSatisfying(
              ServingException.class,
              e -> {
                assertThat(e.reason()).isEqualTo(ErrorReason.MODEL_LOADING);
                assertThat(e.retryAfterNanos()).isPositive();
              });
      go.countDown();
      registry.awaitSettled();
      assertThat(states(registry)).containsExactly(ModelEntry.State.READY, ModelEntry.State.READY);
      assertThat(registry.isWarm()).isTrue();
      assertThat(registry.require("").name()).isEqualTo("a");
      assertThat(registry.require("b").name()).isEqualTo("b");
      assertThat(changes).hasValue(4);
      registry.drain().join();
    }
  }

  @Test
  void unknownModelsAreNamed() {
    ModelRegistry registry =
        registry(List.of(ModelSource.of("a", directory)), (source, whenLost) -> null, () -> {});
    assertThatThrownBy(() -> registry.require("x"))
        .isInstanceOfSatisfying(
            ServingException.class,
            e -> {
              assertThat(e.reason()).isEqualTo(ErrorReason.MODEL_NOT_FOUND);
              assertThat(e.metadata()).containsEntry("model", "x");
            })
        .hasMessage("model: x (expected: a)");
  }

  @Test
  void anErrorWhileAModelLoadsIsToldAndTheOthersLoad() throws Exception {
    ModelFiles.complete(directory);
    ModelRegistry.Loading loading =
        (source, whenLost) -> {
          if (source.name().equals("broken")) {
            throw new OutOfMemoryError("of a test");
          }
          return loader.load(source, whenLost);
        };
    List<ModelSource> sources =
        List.of(ModelSource.of("broken", directory), ModelSource.of("good", directory));
    try (ModelRegistry registry = registry(sources, loading, () -> {})) {
      registry.start();
      registry.awaitSettled();
      assertThat(states(registry)).containsExactly(ModelEntry.State.FAILED, ModelEntry.State.READY);
      assertThat(registry.entries().getFirst().message())
          .isEqualTo("java.lang.OutOfMemoryError: of a test");
    }
  }

  @Test
  void aModelThatCannotBeLoadedFailsAlone() throws Exception {
    ModelFiles.complete(directory);
    List<ModelSource> sources =
        List.of(
            ModelSource.of("broken", directory.resolve("no")), ModelSource.of("good", directory));
    try (ModelRegistry registry = registry(sources, loader::load, () -> {})) {
      registry.start();
      registry.awaitSettled();
      assertThat(states(registry)).containsExactly(ModelEntry.State.FAILED, ModelEntry.State.READY);
      assertThat(registry.entries().getFirst().message())
          .contains("(expected: a directory with a config.json)");
      assertThat(registry.isWarm()).isTrue();
      assertThatThrownBy(() -> registry.require("broken"))
          .isInstanceOfSatisfying(
              ServingException.class,
              e -> assertThat(e.reason()).isEqualTo(ErrorReason.ENGINE_LOST));
    }
  }

  @Test
  void aModelWhoseEngineFailedIsOpenedAgain() throws Exception {
    ModelFiles.complete(directory);
    BlockingQueue<ModelEntry> seen = new LinkedBlockingQueue<>();
    AtomicInteger opened = new AtomicInteger();
    AtomicBoolean broken = new AtomicBoolean();
    ModelLoader failing =
        new ModelLoader(
            options -> {
              boolean first = opened.incrementAndGet() == 1;
              return ModelFiles.open(
                  options,
                  () -> {
                    if (first && broken.get()) {
                      throw new EngineException(EngineStatus.INTERNAL, "CUDA: a fault");
                    }
                  });
            },
            () -> 0,
            InstantSource.fixed(Instant.EPOCH),
            "s-");
    ModelRegistry[] watched = new ModelRegistry[1];
    try (ModelRegistry registry =
        registry(
            List.of(ModelSource.of("a", directory)),
            failing::load,
            () -> seen.add(watched[0].entries().getFirst()))) {
      watched[0] = registry;
      registry.start();
      registry.awaitSettled();
      assertThat(registry.isWarm()).isTrue();
      seen.clear();
      ServedModel before = registry.require("a");
      broken.set(true);
      SessionHandle session = before.sessions().open(new Specs().build(), () -> {});
      ModelEntry lost = seen.take();
      assertThat(lost.state()).isEqualTo(ModelEntry.State.LOADING);
      assertThat(lost.message())
          .isEqualTo("its engine failed; opened again in 0 s, attempt 1 of 2");
      assertThat(reason(session)).isEqualTo(ErrorReason.INTERNAL_FAULT);
      ModelEntry now = seen.take();
      while (now.state() != ModelEntry.State.READY) {
        now = seen.take();
      }
      assertThat(opened).hasValue(2);
      assertThat(registry.isWarm()).isTrue();
      assertThat(registry.require("a")).isNotSameAs(before);
    }
  }

  @Test
  void afterAsManyAttemptsAsTheRulesSayItStaysFailed() throws Exception {
    ModelFiles.complete(directory);
    List<String> messages = new CopyOnWriteArrayList<>();
    CountDownLatch gone = new CountDownLatch(1);
    AtomicInteger loads = new AtomicInteger();
    AtomicReference<Runnable> whenLost = new AtomicReference<>();
    ModelRegistry.Loading loading =
        (source, lost) -> {
          whenLost.set(lost);
          if (loads.incrementAndGet() > 1) {
            throw new ServingException(ErrorReason.MODEL_CAPABILITY, "CUDA: still broken");
          }
          return loader.load(source, lost);
        };
    ModelRegistry[] watched = new ModelRegistry[1];
    try (ModelRegistry registry =
        registry(
            List.of(ModelSource.of("a", directory)),
            loading,
            () -> {
              ModelEntry entry = watched[0].entries().getFirst();
              messages.add(entry.message());
              if (entry.state() == ModelEntry.State.FAILED) {
                gone.countDown();
              }
            })) {
      watched[0] = registry;
      registry.start();
      registry.awaitSettled();
      whenLost.get().run();
      gone.await();
      assertThat(loads).hasValue(3);
      assertThat(messages)
          .contains(
              "its engine failed; opened again in 0 s, attempt 1 of 2",
              "CUDA: still broken; opened again in 0 s, attempt 2 of 2")
          .last()
          .isEqualTo("CUDA: still broken, after 2 attempts to open it again");
      assertThatThrownBy(() -> registry.require("a"))
          .isInstanceOfSatisfying(
              ServingException.class,
              e -> assertThat(e.reason()).isEqualTo(ErrorReason.ENGINE_LOST));
    }
  }

  @Test
  void anEngineThatRanLongStartsCountingAgain() {
    ModelLife life = new ModelLife(ModelSource.of("a", directory));
    ReopenRules rules = new ReopenRules(List.of(Duration.ofMillis(1500)), Duration.ofSeconds(10));
    LoadedModel model = new LoadedModel(null, null, List.of());
    life.begin();
    assertThat(life.failed("lost", rules, 0)).isEqualTo(1_500_000_000L);
    assertThat(life.loaded(model, 0)).isFalse(); // its engine failed before it was there
    assertThat(life.failed("lost", rules, 9_999_999_999L)).isNegative();
    assertThat(life.failed("lost", rules, 10_000_000_000L)).isEqualTo(1_500_000_000L);
    assertThat(life.entry().message()).isEqualTo("lost; opened again in 2 s, attempt 1 of 1");
  }

  @Test
  void namesAreUnique() {
    List<ModelSource> twice =
        List.of(ModelSource.of("a", directory), ModelSource.of("a", directory));
    assertThatThrownBy(() -> registry(twice, loader::load, () -> {}))
        .hasMessage("models: a twice (expected: unique names)");
    assertThatThrownBy(() -> registry(List.of(), loader::load, () -> {}))
        .hasMessage("models: none (expected: at least one)");
  }

  private static ModelRegistry registry(
      List<ModelSource> sources, ModelRegistry.Loading loading, Runnable whenChanged) {
    ReopenRules rules =
        new ReopenRules(List.of(Duration.ZERO, Duration.ZERO), Duration.ofMinutes(1));
    return new ModelRegistry(sources, loading, rules, () -> 0, whenChanged);
  }

  private static ErrorReason reason(SessionHandle session) {
    SessionEvent last = session.poll();
    for (SessionEvent event = last; event != null; event = session.poll()) {
      last = event;
    }
    return ((SessionEvent.Failed) last).reason().reason();
  }

  private static List<ModelEntry.State> states(ModelRegistry registry) {
    return registry.entries().stream().map(ModelEntry::state).toList();
  }
}
