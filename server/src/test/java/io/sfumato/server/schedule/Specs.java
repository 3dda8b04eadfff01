package io.sfumato.server.schedule;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.sampling.UniformNoise;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.Template;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;

/** Builds session specifications for tests, by hand or at random. Confined to one thread. */
public final class Specs {

  static final int[] NO_TOKENS = {};

  /** What random sessions may ask for: the engine's limit must allow it. */
  static final int MOST_ALTERNATIVES = 3;

  private int[] prompt = {1, 2, 3};
  private CanvasStart start = CanvasStart.undecided(8);
  private Attending attending = Attending.FULL;
  private CacheMode cache = CacheMode.NONE;
  private Template template = Template.NONE;
  private int blockLength = 8;
  private int windowLength = 8;
  private long seed = 1;
  private TemperatureSchedule temperature = TemperatureSchedule.GREEDY;
  private int maxSteps = 64;
  private int minAccept = 1;
  private AcceptanceSpec acceptance = new AcceptanceSpec.ConfidenceThreshold(.9f);
  private RevisionSpec revision = RevisionSpec.NONE;
  private float guidance;
  private Optional<UniformNoise> uniform = Optional.empty();
  private int[] endOfText = NO_TOKENS;
  private int[] stop = NO_TOKENS;
  private long deadline = Long.MAX_VALUE;
  private OptionalLong softDeadline = OptionalLong.empty();
  private int alternatives;
  private String cacheSalt = "";

  Specs prompt(int... tokens) {
    prompt = tokens;
    return this;
  }

  Specs length(int length) {
    return start(CanvasStart.undecided(length));
  }

  Specs start(CanvasStart newStart) {
    start = newStart;
    return this;
  }

  public Specs template(Template newTemplate) {
    template = newTemplate;
    return this;
  }

  /** Positions attend in blocks of the given length, which are also those of the canvas. */
  Specs causal(int length, int offset, boolean shifted) {
    attending = new Attending(length, offset, shifted);
    return block(length);
  }

  /** All positions attend, over an approximate cache. */
  Specs cached(CacheMode newCache, boolean shifted) {
    cache = newCache;
    guidance = newCache == CacheMode.NONE ? guidance : 0;
    attending = new Attending(0, 0, shifted);
    return this;
  }

  /** Masks over a context that is encoded causally. */
  Specs encoded(int block) {
    attending = Attending.CAUSAL;
    guidance = 0;
    return block(block);
  }

  /** As {@link #encoded}, without what the model cannot do whose canvas has so many positions. */
  Specs encodedAtMost(Random random, int canvas) {
    encoded(1 + random.nextInt(canvas));
    windowLength = random.nextBoolean() ? blockLength : 1 + random.nextInt(blockLength);
    if (start.length() > blockLength) {
      List<CanvasStart.NoisySpan> spans =
          start.reopened().stream()
              .map(each ->
                  new CanvasStart.NoisySpan(each.start(), each.length(), Math.round(each.noise())))
              .toList();
      start = new CanvasStart(start.tokens(), start.pinned(), spans);
    }
    boolean isCut =
        template.slots().stream()
            .anyMatch(slot -> slot.start() / blockLength != (slot.end() - 1) / blockLength);
    template = isCut ? Template.NONE : template;
    endOfText = random.nextBoolean() ? NO_TOKENS : new int[] {random.nextInt(40)};
    return this;
  }

  Specs block(int length) {
    blockLength = length;
    windowLength = length;
    return this;
  }

  Specs window(int length) {
    windowLength = length;
    return this;
  }

  Specs seed(long newSeed) {
    seed = newSeed;
    return this;
  }

  Specs temperature(float newTemperature) {
    return temperature(newTemperature, newTemperature);
  }

  Specs temperature(float first, float last) {
    temperature = new TemperatureSchedule(first, last);
    return this;
  }

  /** Undecided positions hold random tokens; the model's canvas has so many positions. */
  Specs uniform(int canvas, int stableSteps, float meanEntropy) {
    uniform = Optional.of(new UniformNoise(stableSteps, meanEntropy));
    attending = Attending.CAUSAL;
    return block(canvas);
  }

  Specs steps(int maxStepsPerBlock, int minAcceptPerStep) {
    maxSteps = maxStepsPerBlock;
    minAccept = minAcceptPerStep;
    return this;
  }

  Specs acceptance(AcceptanceSpec newAcceptance) {
    acceptance = newAcceptance;
    return this;
  }

  Specs revision(float threshold, int most) {
    revision = new RevisionSpec(threshold, most);
    return this;
  }

  Specs guidance(float scale) {
    guidance = scale;
    return this;
  }

  Specs alternatives(int count) {
    alternatives = count;
    return this;
  }

  Specs endOfText(int... tokens) {
    endOfText = tokens;
    return this;
  }

  Specs stop(int... tokens) {
    stop = tokens;
    return this;
  }

  Specs cacheSalt(String salt) {
    cacheSalt = salt;
    return this;
  }

  Specs deadline(long nanos) {
    deadline = nanos;
    return this;
  }

  Specs softDeadline(long nanos) {
    softDeadline = OptionalLong.of(nanos);
    return this;
  }

  public SessionSpec build() {
    SamplingSpec sampling =
        new SamplingSpec(
            seed,
            temperature,
            maxSteps,
            minAccept,
            acceptance,
            revision,
            guidance,
            NO_TOKENS,
            NO_TOKENS,
            false,
            uniform);
    return new SessionSpec(
        prompt,
        start,
        attending,
        cache,
        template,
        blockLength,
        windowLength,
        sampling,
        endOfText,
        stop,
        alternatives,
        cacheSalt,
        deadline,
        softDeadline,
        "");
  }

  /** Any session that tokens 0..vocabulary-2 and a sequence of the given length allow. */
  public static Specs random(Random random, int vocabulary, int mostTokens) {
    Specs specs = new Specs();
    specs.prompt = new int[random.nextInt(Math.max(1, mostTokens / 3))];
    for (int index = 0; index < specs.prompt.length; index++) {
      specs.prompt[index] = random.nextInt(vocabulary); // the mask, too
    }
    int length = 1 + random.nextInt(mostTokens - specs.prompt.length);
    specs.start =
        random.nextInt(3) == 0
            ? randomDraft(random, vocabulary, length)
            : CanvasStart.undecided(length);
    if (random.nextInt(4) == 0) {
      specs.template = randomTemplate(random, vocabulary, specs.start);
    }
    specs.blockLength = 1 + random.nextInt(length + 4);
    specs.windowLength =
        random.nextBoolean() ? specs.blockLength : 1 + random.nextInt(specs.blockLength);
    specs.seed = random.nextLong();
    specs.temperature(random.nextBoolean() ? 0 : .1f + random.nextFloat());
    specs.maxSteps = 1 + random.nextInt(40);
    specs.minAccept = 1 + random.nextInt(3);
    specs.acceptance = randomAcceptance(random);
    specs.revision =
        random.nextBoolean()
            ? RevisionSpec.NONE
            : new RevisionSpec(random.nextFloat() * .5f, 1 + random.nextInt(3));
    specs.guidance = random.nextInt(4) == 0 ? random.nextFloat() : 0;
    specs.alternatives = random.nextInt(MOST_ALTERNATIVES + 1);
    specs.endOfText = random.nextBoolean() ? NO_TOKENS : new int[] {vocabulary - 2};
    specs.stop = random.nextInt(4) != 0 ? NO_TOKENS : new int[] {random.nextInt(vocabulary - 1)};
    return specs;
  }

  /** Slots anywhere, also where the start has tokens already. */
  private static Template randomTemplate(Random random, int vocabulary, CanvasStart start) {
    List<Template.Slot> slots = new ArrayList<>();
    int position = random.nextInt(start.length());
    while (position < start.length()) {
      int length = Math.min(start.length() - position, 1 + random.nextInt(6));
      String name = "slot " + slots.size();
      if (random.nextBoolean()) {
        int end = random.nextInt(vocabulary);
        slots.add(new Template.FreeSlot(name, position, length, token -> token == end));
      } else {
        List<Template.Option> options = new ArrayList<>();
        for (int option = 0; option < 2 + random.nextInt(3); option++) {
          int tokens = option == 0 ? length : 1 + random.nextInt(length);
          options.add(
              new Template.Option(
                  "option " + option, random.ints(tokens, 0, vocabulary - 2).toArray()));
        }
        slots.add(new Template.ChoiceSlot(name, position, length, options));
      }
      position += length + random.nextInt(6);
    }
    int required = random.nextBoolean() ? start.length() : slots.getLast().start();
    return new Template(slots, vocabulary - 2, required);
  }

  private static AcceptanceSpec randomAcceptance(Random random) {
    return switch (random.nextInt(6)) {
      case 0, 1 ->
          new AcceptanceSpec.FixedSchedule(
              1 + random.nextInt(20),
              AcceptanceSpec.Order.values()[random.nextInt(5)],
              AcceptanceSpec.Spread.values()[random.nextInt(3)]);
      case 2 -> new AcceptanceSpec.ConfidenceThreshold(random.nextFloat());
      case 3 -> new AcceptanceSpec.PacedThreshold(random.nextFloat(), 1 + random.nextInt(20));
      case 4 ->
          new AcceptanceSpec.JointEdit(random.nextFloat(), random.nextFloat(), random.nextInt(6));
      default -> new AcceptanceSpec.EntropyBound(random.nextFloat() * 3);
    };
  }

  private static CanvasStart randomDraft(Random random, int vocabulary, int length) {
    int[] tokens = new int[length];
    boolean[] pinned = new boolean[length];
    List<CanvasStart.NoisySpan> spans = new ArrayList<>();
    int position = 0;
    while (position < length) {
      int end = Math.min(length, position + 1 + random.nextInt(8));
      int kind = random.nextInt(3);
      for (int each = position; each < end; each++) {
        tokens[each] = kind == 0 ? CanvasSnapshot.NO_TOKEN : random.nextInt(vocabulary - 1);
        pinned[each] = kind == 1;
      }
      if (kind == 2) {
        spans.add(new CanvasStart.NoisySpan(position, end - position, random.nextInt(5) / 4f));
      }
      position = end;
    }
    return new CanvasStart(tokens, pinned, spans);
  }
}
