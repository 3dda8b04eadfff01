package io.sfumato.server.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
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
    try (ModelRegistry registry = new ModelRegistry(sources, loading, changes::incrementAndGet)) {
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
        new ModelRegistry(
            List.of(ModelSource.of("a", directory)), (source, whenLost) -> null, () -> {});
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
  void aModelThatCannotBeLoadedFailsAlone() throws Exception {
    ModelFiles.complete(directory);
    List<ModelSource> sources =
        List.of(
            ModelSource.of("broken", directory.resolve("no")), ModelSource.of("good", directory));
    try (ModelRegistry registry = new ModelRegistry(sources, loader::load, () -> {})) {
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
  void aLostEngineMakesItsModelFailForGood() throws Exception {
    ModelFiles.complete(directory);
    Map<String, Runnable> whenLost = new ConcurrentHashMap<>();
    ModelRegistry.Loading loading =
        (source, lost) -> {
          whenLost.put(source.name(), lost);
          return loader.load(source, lost);
        };
    try (ModelRegistry registry =
        new ModelRegistry(List.of(ModelSource.of("a", directory)), loading, () -> {})) {
      registry.start();
      registry.awaitSettled();
      whenLost.get("a").run();
      assertThat(registry.entries().getFirst().state()).isEqualTo(ModelEntry.State.FAILED);
      assertThat(registry.isWarm()).isFalse();
    }
  }

  @Test
  void namesAreUnique() {
    List<ModelSource> twice =
        List.of(ModelSource.of("a", directory), ModelSource.of("a", directory));
    assertThatThrownBy(() -> new ModelRegistry(twice, loader::load, () -> {}))
        .hasMessage("models: a twice (expected: unique names)");
    assertThatThrownBy(() -> new ModelRegistry(List.of(), loader::load, () -> {}))
        .hasMessage("models: none (expected: at least one)");
  }

  private static List<ModelEntry.State> states(ModelRegistry registry) {
    return registry.entries().stream().map(ModelEntry::state).toList();
  }
}
