package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.ProductType;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.SessionSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A session that keeps its context in pages, exactly or not, takes the same course alone and among
 * others, those with another block length, cache or guidance among them.
 */
final class NativeContextTest {

  private static final int MOST_TOKENS = 60;

  @ParameterizedTest
  @CsvSource({
    "sdar, 4, 0",
    "sdar_moe, 4, 0",
    "llada2_moe, 8, 0",
    "fast_dllm_v2, 8, 0",
    "a2d_qwen3, 8, 5"
  })
  void aSessionDoesNotNoticeItsNeighbours(String family, int block, int offset) {
    EngineLimits limits = new EngineLimits(12, 8, 160, 160, Specs.MOST_ALTERNATIVES, 48, 16);
    NativeEngine engine = engine(family, false, limits);
    EngineInfo info = engine.info();
    int mask = info.vocabulary() - 1;
    try (EngineLoop loop = loop(engine, 0)) {
      for (int round = 0; round < 4; round++) {
        SessionSpec spec =
            new Specs()
                .prompt(new Random(round).ints(21, 0, mask).toArray())
                .length(30)
                .temperature(round / 4f)
                .seed(round)
                .causal(block, offset, info.shiftedLogits())
                .build();
        List<String> alone = course(loop, spec, 0, info);
        assertThat(alone).hasSizeGreaterThan(3);
        assertThat(course(loop, spec, 3, info)).isEqualTo(alone);
        assertThat(course(loop, spec, 9, info)).isEqualTo(alone);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"sdar, 4", "llada2_moe, 8", "fast_dllm_v2, 8", "a2d_qwen3, 8", "a2d_qwen2, 32"})
  void reuseOfPromptsChangesNoBit(String family, int block) {
    for (int pages : new int[] {13, 60}) {
      EngineLimits limits = new EngineLimits(4, 8, 300, 300, Specs.MOST_ALTERNATIVES, pages, 16);
      NativeEngine engine = engine(family, false, limits);
      EngineInfo info = engine.info();
      try (EngineLoop cold = loop(engine(family, false, limits), 0);
          EngineLoop warm = loop(engine, Integer.MAX_VALUE)) {
        Random random = new Random(pages);
        SharedPrompts prompts =
            new SharedPrompts(random, info.vocabulary() - 1, 120, block, info.shiftedLogits());
        for (int session = 0; session < 12; session++) {
          SessionSpec spec = prompts.next().build();
          List<String> alone = SessionCourse.of(cold, spec, 0, () -> spec, random);
          List<String> among =
              SessionCourse.of(warm, spec, random.nextInt(4), () -> prompts.next().build(), random);
          assertThat(SessionCourse.withoutUsage(among))
              .hasSizeGreaterThan(1)
              .isEqualTo(SessionCourse.withoutUsage(alone));
        }
        assertThat(cold.load().cachedTokens()).isZero();
        assertThat(warm.load().cachedTokens()).isGreaterThan(100);
      }
    }
  }

  private static NativeEngine engine(String family, boolean approximate, EngineLimits limits) {
    Path model = Path.of("..", "fixtures", family);
    return NativeEngine.open(
        new EngineOptions(model, 1, ProductType.F32, DeviceChoice.CPU, approximate, limits));
  }

  private static EngineLoop loop(NativeEngine engine, int prefixCacheTokens) {
    int mask = engine.info().vocabulary() - 1;
    EngineLoopOptions options =
        new EngineLoopOptions("engine-test", 1000, mask, prefixCacheTokens, "s");
    return new EngineLoop(engine, options, () -> 0, () -> {});
  }

  private static List<String> course(
      EngineLoop loop, SessionSpec spec, int others, EngineInfo info) {
    Random random = new Random(others);
    return SessionCourse.of(
        loop,
        spec,
        others,
        () -> {
          int block = 1 + random.nextInt(12);
          return Specs.random(random, info.vocabulary() - 1, MOST_TOKENS)
              .causal(block, random.nextInt(block), info.shiftedLogits())
              .build();
        },
        random);
  }

  @ParameterizedTest
  @CsvSource({
    "llada, PREFIX",
    "llada, DUAL",
    "dream, PREFIX",
    "dream, DUAL",
    "a2d_qwen3, DUAL",
    "bert_mlm, DUAL",
    "modernbert_mlm, PREFIX",
    "modernbert_mlm, DUAL"
  })
  void aSessionOverAnApproximateCacheDoesNotNoticeItsNeighbours(String family, CacheMode cache) {
    EngineLimits limits = new EngineLimits(12, 8, 160, 160, Specs.MOST_ALTERNATIVES, 48, 16);
    NativeEngine engine = engine(family, true, limits);
    EngineInfo info = engine.info();
    int mask = info.vocabulary() - 1;
    try (EngineLoop loop = loop(engine, Integer.MAX_VALUE)) {
      for (int round = 0; round < 4; round++) {
        SessionSpec spec =
            new Specs()
                .prompt(new Random(round).ints(21, 0, mask).toArray())
                .length(30)
                .temperature(round / 4f)
                .seed(round)
                .block(8)
                .revision(round == 1 ? .3f : 0, 2)
                .cached(cache, info.shiftedLogits())
                .build();
        List<String> alone = cachedCourse(loop, spec, 0, info);
        assertThat(alone).hasSizeGreaterThan(3);
        assertThat(cachedCourse(loop, spec, 3, info)).isEqualTo(alone);
        assertThat(cachedCourse(loop, spec, 9, info)).isEqualTo(alone);
      }
    }
  }

  private static List<String> cachedCourse(
      EngineLoop loop, SessionSpec spec, int others, EngineInfo info) {
    Random random = new Random(others);
    return SessionCourse.of(
        loop,
        spec,
        others,
        () ->
            Specs.random(random, info.vocabulary() - 1, MOST_TOKENS)
                .cached(CacheMode.values()[random.nextInt(3)], info.shiftedLogits())
                .build(),
        random);
  }
}
