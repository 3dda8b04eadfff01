package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.ProductType;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.SessionSpec;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The same promise with the real core and the embedded model: a whole decoding, bit for bit. */
final class NativeBatchInvarianceTest {

  private static final int SLOTS = 32;
  private static final int[] NEIGHBOURS = {1, 7, 31};

  private static EngineLoop loop;
  private static int vocabulary;
  private static int endOfText;

  /** Sessions that differ in everything that changes what the core computes. */
  enum Subject {
    GREEDY_BY_CONFIDENCE {
      @Override
      Specs specs() {
        return new Specs().length(48).block(16).revision(.1f, 2);
      }
    },
    SAMPLED_WITH_A_WINDOW {
      @Override
      Specs specs() {
        return new Specs()
            .length(40)
            .block(40)
            .window(12)
            .seed(7)
            .temperature(.8f)
            .acceptance(new AcceptanceSpec.EntropyBound(.5f));
      }
    },
    GUIDED_AT_RANDOM {
      @Override
      Specs specs() {
        AcceptanceSpec schedule =
            new AcceptanceSpec.FixedSchedule(
                12, AcceptanceSpec.Order.RANDOM, AcceptanceSpec.Spread.LINEAR);
        return new Specs()
            .length(33)
            .block(33)
            .seed(9)
            .temperature(.5f)
            .guidance(.5f)
            .acceptance(schedule);
      }
    };

    abstract Specs specs();
  }

  @BeforeAll
  static void open() {
    EngineLimits limits = new EngineLimits(SLOTS, 16, 1024, 1024, Specs.MOST_ALTERNATIVES, 0, 16);
    Path model = Path.of("..", "models", "default");
    NativeEngine engine =
        NativeEngine.open(
            new EngineOptions(model, 2, ProductType.F32, DeviceChoice.CPU, false, limits));
    vocabulary = engine.info().vocabulary();
    endOfText = engine.info().endOfTextTokenId();
    loop =
        new EngineLoop(
            engine, new EngineLoopOptions("engine-test", 10_000, -1, 0, "s"), () -> 0, () -> {});
  }

  @AfterAll
  static void close() {
    loop.close();
  }

  @ParameterizedTest
  @EnumSource
  void aDecodingIsTheSameAloneAndAmongOthers(Subject subject) {
    SessionSpec spec =
        subject.specs().prompt(5, 300, 17, 42, 999, 8, 6).endOfText(endOfText).build();
    List<String> alone = course(spec, 0);
    assertThat(alone).hasSizeGreaterThan(3);
    for (int others : NEIGHBOURS) {
      assertThat(course(spec, others)).as("among %d", others).isEqualTo(alone);
    }
  }

  @ParameterizedTest
  @EnumSource
  void alternativesChangeNothing(Subject subject) {
    Specs specs = subject.specs().prompt(5, 300, 17, 42, 999, 8, 6).endOfText(endOfText);
    List<String> without = course(specs.build(), 0);
    assertThat(course(specs.alternatives(Specs.MOST_ALTERNATIVES).build(), 0)).isEqualTo(without);
  }

  private static List<String> course(SessionSpec spec, int others) {
    Random random = new Random(others);
    return SessionCourse.of(
        loop, spec, others, () -> Specs.random(random, vocabulary, 60).build(), random);
  }
}
