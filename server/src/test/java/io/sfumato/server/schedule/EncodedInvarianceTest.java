package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.ProductType;
import io.sfumato.server.canvas.CanvasInvariants;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Any session over a context that is encoded causally, of uniform noise or of masks: what it
 * promises, and that it notices no neighbours.
 */
final class EncodedInvarianceTest {

  private static final int MOST_TOKENS = 70;

  /** What an undecided position holds. */
  enum Noise {
    UNIFORM("diffusion_gemma") {
      @Override
      EncoderScript script(EngineLimits limits) {
        return new EncoderScript(limits);
      }

      @Override
      LoopFixture fixture(EngineLimits limits, EncoderScript script) {
        return new LoopFixture(AttentionKind.ENCODER_CANVAS, limits, 10_000, script);
      }

      @Override
      Specs random(Random random, int vocabulary, int canvas) {
        return uniform(random, vocabulary, canvas);
      }

      @Override
      Specs subject(int round, int canvas) {
        return new Specs()
            .temperature(round == 0 ? 0 : .8f, .4f)
            .steps(9, 1)
            .acceptance(new AcceptanceSpec.EntropyBound(2))
            .uniform(canvas, 1, .2f);
      }
    },
    MASK("nemotron_labs_diffusion") {
      @Override
      EncoderScript script(EngineLimits limits) {
        return EncoderScript.seeding(limits);
      }

      @Override
      LoopFixture fixture(EngineLimits limits, EncoderScript script) {
        return LoopFixture.seeding(limits, 10_000, Integer.MAX_VALUE, script);
      }

      @Override
      Specs random(Random random, int vocabulary, int canvas) {
        return Specs.random(random, vocabulary, MOST_TOKENS).encodedAtMost(random, canvas);
      }

      @Override
      Specs subject(int round, int canvas) {
        return new Specs()
            .temperature(round == 0 ? 0 : .8f)
            .revision(round == 3 ? .2f : 0, 2)
            .acceptance(new AcceptanceSpec.ConfidenceThreshold(.4f))
            .encoded(round == 2 ? canvas - 5 : canvas);
      }
    };

    private final String family;

    Noise(String family) {
      this.family = family;
    }

    abstract EncoderScript script(EngineLimits limits);

    abstract LoopFixture fixture(EngineLimits limits, EncoderScript script);

    /** Any session that the model can do. */
    abstract Specs random(Random random, int vocabulary, int canvas);

    /** A session that is compared with itself among others. */
    abstract Specs subject(int round, int canvas);
  }

  private static Specs uniform(Random random, int vocabulary, int canvas) {
    int prompt = random.nextInt(25);
    int length = 1 + random.nextInt(MOST_TOKENS - prompt);
    int[] tokens = new int[length];
    boolean[] pinned = new boolean[length];
    for (int position = 0; position < length; position++) {
      pinned[position] = random.nextInt(8) == 0;
      tokens[position] =
          pinned[position] ? random.nextInt(vocabulary - 1) : CanvasSnapshot.NO_TOKEN;
    }
    AcceptanceSpec acceptance =
        switch (random.nextInt(4)) {
          case 0 -> new AcceptanceSpec.ConfidenceThreshold(random.nextFloat());
          case 1 ->
              new AcceptanceSpec.FixedSchedule(
                  1 + random.nextInt(12),
                  AcceptanceSpec.Order.values()[random.nextInt(5)],
                  AcceptanceSpec.Spread.values()[random.nextInt(3)]);
          default -> new AcceptanceSpec.EntropyBound(random.nextFloat() * 2);
        };
    return new Specs()
        .prompt(random.ints(prompt, 0, vocabulary).toArray())
        .start(new CanvasStart(tokens, pinned, List.of()))
        .seed(random.nextLong())
        .temperature(random.nextBoolean() ? 0 : .8f, random.nextBoolean() ? 0 : .4f)
        .steps(1 + random.nextInt(14), 1 + random.nextInt(3))
        .acceptance(acceptance)
        .endOfText(random.nextBoolean() ? Specs.NO_TOKENS : new int[] {random.nextInt(40)})
        .alternatives(random.nextInt(Specs.MOST_ALTERNATIVES + 1))
        .uniform(canvas, random.nextInt(3), random.nextFloat());
  }

  @ParameterizedTest
  @EnumSource
  void whatIsCommittedIsWhatTheModelHasEncoded(Noise noise) {
    EngineLimits limits = new EngineLimits(1, 4, 32, 512, Specs.MOST_ALTERNATIVES, 5, 16);
    int encoded = 0;
    int early = 0;
    int seeds = 0;
    for (int seed = 0; seed < 3000; seed++) {
      EncoderScript script = noise.script(limits);
      Random random = new Random(seed);
      SessionSpec spec = noise.random(random, LoopFixture.VOCABULARY, LoopFixture.CANVAS).build();
      SessionEvent.Finished finished = steered(noise.fixture(limits, script), spec, random);
      early += finished.reason() == FinishReason.MAX_LENGTH ? 0 : 1;
      int[] prompt = spec.promptTokens();
      int[] text = Arrays.copyOf(prompt, prompt.length + finished.tokens().length);
      System.arraycopy(finished.tokens(), 0, text, prompt.length, finished.tokens().length);
      int[] kept = script.kept();
      assertThat(Arrays.copyOf(text, kept.length)).as("seed " + seed).isEqualTo(kept);
      encoded += kept.length;
      seeds += script.seeds;
    }
    assertThat(encoded).isGreaterThan(30_000);
    assertThat(early).isGreaterThan(300);
    assertThat(seeds > 3000).isEqualTo(noise == Noise.MASK);
  }

  /** Runs a session whose client edits, pins, blanks, reopens and finishes. */
  private static SessionEvent.Finished steered(
      LoopFixture fixture, SessionSpec spec, Random random) {
    SessionHandle session = fixture.open(spec);
    CanvasStart free = CanvasStart.undecided(spec.start().length()); // the client may change pins
    CanvasInvariants invariants = new CanvasInvariants(free, CanvasSnapshot.NO_TOKEN);
    SessionEvent last = null;
    boolean running = true;
    for (int step = 1; running; step++) {
      running = fixture.loop.step();
      fixture.loop.checkInvariants();
      CanvasInvariants.check(((Session) session).canvas());
      for (SessionEvent event : LoopFixture.drain(session)) {
        last = event;
        if (event instanceof SessionEvent.CanvasChanged changed) {
          invariants.observe(changed.snapshot());
        }
      }
      if (step < 60 && random.nextInt(4) == 0 && !((Session) session).state().isOver()) {
        session.control(control(step, spec.start().length(), random));
      }
    }
    return (SessionEvent.Finished) last;
  }

  private static Control control(int id, int length, Random random) {
    int start = random.nextInt(length);
    PositionRange range = new PositionRange(start, 1 + random.nextInt(Math.min(3, length - start)));
    return switch (random.nextInt(12)) {
      case 0 -> new Control.BlankSpan(id, Optional.empty(), range);
      case 1, 2, 3 -> new Control.PinSpans(id, Optional.empty(), List.of(range));
      case 4, 5 -> new Control.UnpinSpans(id, Optional.empty(), List.of(range));
      case 6, 7 -> new Control.ReopenSpans(id, Optional.empty(), List.of(range), .5f);
      case 8 ->
          new Control.FinishNow(
              id, random.nextInt(3) == 0 ? Control.Scope.CANVAS : Control.Scope.BLOCK);
      default ->
          new Control.EditSpan(
              id, Optional.empty(), range, random.ints(1 + random.nextInt(3), 0, 50).toArray());
    };
  }

  @ParameterizedTest
  @EnumSource
  void aSessionDoesNotNoticeItsNeighbours(Noise noise) {
    EngineLimits limits = new EngineLimits(12, 8, 64, 512, Specs.MOST_ALTERNATIVES, 60, 16);
    for (int round = 0; round < 60; round++) {
      SessionSpec spec =
          noise.random(new Random(round), LoopFixture.VOCABULARY, LoopFixture.CANVAS).build();
      List<String> alone = course(noise, limits, spec, 0, round);
      assertThat(course(noise, limits, spec, 9, round)).isEqualTo(alone);
    }
  }

  private static List<String> course(
      Noise noise, EngineLimits limits, SessionSpec spec, int others, int seed) {
    LoopFixture fixture = noise.fixture(limits, noise.script(limits));
    Random random = new Random(seed + 1000);
    return SessionCourse.of(
        fixture.loop,
        spec,
        others,
        () -> noise.random(random, LoopFixture.VOCABULARY, LoopFixture.CANVAS).build(),
        random);
  }

  @ParameterizedTest
  @EnumSource
  void aSessionOfTheRealCoreDoesNotNoticeItsNeighbours(Noise noise) {
    EngineLimits limits = new EngineLimits(12, 8, 320, 320, Specs.MOST_ALTERNATIVES, 60, 16);
    NativeEngine engine = engine(noise, limits);
    EngineInfo info = engine.info();
    try (EngineLoop loop = loop(engine, 0)) {
      for (int round = 0; round < 4; round++) {
        SessionSpec spec =
            noise
                .subject(round, info.blockLength())
                .prompt(new Random(round).ints(21, 0, info.vocabulary()).toArray())
                .length(37)
                .seed(round)
                .build();
        List<String> alone = course(noise, loop, spec, 0, info);
        assertThat(alone).hasSizeGreaterThan(3);
        assertThat(course(noise, loop, spec, 3, info)).isEqualTo(alone);
        assertThat(course(noise, loop, spec, 9, info)).isEqualTo(alone);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void reuseOfPromptsChangesNoBit(Noise noise) {
    EngineLimits limits = new EngineLimits(4, 8, 320, 320, Specs.MOST_ALTERNATIVES, 24, 16);
    NativeEngine engine = engine(noise, limits);
    EngineInfo info = engine.info();
    try (EngineLoop cold = loop(engine(noise, limits), 0);
        EngineLoop warm = loop(engine, Integer.MAX_VALUE)) {
      Random random = new Random(3);
      int[] beginning = random.ints(70, 0, info.vocabulary()).toArray();
      Supplier<SessionSpec> next =
          () -> {
            Specs specs = noise.random(random, info.vocabulary(), info.blockLength());
            int read = 1 + random.nextInt(70);
            int whole = 16 * (1 + random.nextInt(4)); // pages, up to the end of the prompt
            int length = random.nextBoolean() ? read : whole;
            return specs.prompt(Arrays.copyOf(beginning, length)).build();
          };
      for (int session = 0; session < 8; session++) {
        SessionSpec spec = next.get();
        List<String> alone = SessionCourse.of(cold, spec, 0, () -> spec, random);
        List<String> among = SessionCourse.of(warm, spec, random.nextInt(4), next, random);
        assertThat(SessionCourse.withoutUsage(among))
            .hasSizeGreaterThan(1)
            .isEqualTo(SessionCourse.withoutUsage(alone));
      }
      assertThat(cold.load().cachedTokens()).isZero();
      assertThat(warm.load().cachedTokens()).isGreaterThan(100);
    }
  }

  private static NativeEngine engine(Noise noise, EngineLimits limits) {
    Path model = Path.of("..", "fixtures", noise.family);
    return NativeEngine.open(
        new EngineOptions(model, 1, ProductType.F32, DeviceChoice.CPU, false, limits));
  }

  private static EngineLoop loop(NativeEngine engine, int prefixCacheTokens) {
    EngineLoopOptions options =
        new EngineLoopOptions("engine-test", 1000, -1, prefixCacheTokens, "s");
    return new EngineLoop(engine, options, () -> 0, () -> {});
  }

  /** With a pin that is taken back after the first step. */
  private static List<String> course(
      Noise noise, EngineLoop loop, SessionSpec spec, int others, EngineInfo info) {
    Random random = new Random(others);
    PositionRange first = new PositionRange(0, 1);
    Map<Integer, Control> controls =
        Map.of(
            0, new Control.EditSpan(1, Optional.empty(), first, new int[] {7}),
            1, new Control.UnpinSpans(2, Optional.empty(), List.of(first)));
    return SessionCourse.of(
        loop,
        spec,
        others,
        () -> noise.random(random, info.vocabulary(), info.blockLength()).build(),
        random,
        controls);
  }
}
