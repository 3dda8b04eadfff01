package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.ProductType;
import io.sfumato.server.session.SessionSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Models whose positions attend in blocks: a session that keeps its context in pages takes the same
 * course alone and among others, those with another block length or with guidance among them.
 */
final class NativeContextTest {

  private static final int MOST_TOKENS = 60;

  @ParameterizedTest
  @CsvSource({"sdar, 4, 0", "llada2_moe, 8, 0", "fast_dllm_v2, 8, 0", "a2d_qwen3, 8, 5"})
  void aSessionDoesNotNoticeItsNeighbours(String family, int block, int offset) {
    EngineLimits limits = new EngineLimits(12, 8, 160, 160, Specs.MOST_ALTERNATIVES, 48, 16);
    Path model = Path.of("..", "fixtures", family);
    NativeEngine engine = NativeEngine.open(new EngineOptions(model, 1, ProductType.F32, limits));
    EngineInfo info = engine.info();
    int mask = info.vocabulary() - 1;
    EngineLoopOptions options = new EngineLoopOptions("engine-test", 1000, mask, "s");
    try (EngineLoop loop = new EngineLoop(engine, options, () -> 0, () -> {})) {
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
}
