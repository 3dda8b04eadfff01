package io.sfumato.server.app.bench;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.ProductType;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.app.EmbeddedModel;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.CanvasDelta;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.Span;
import io.sfumato.v1.StreamGenerateRequest;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TemplatePart;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code sfumato bench templates}: fills JSON skeletons through a real server with the embedded
 * model, and takes every choice apart: the options are scored anew from the raw logits of the
 * canvas before the step that chose.
 */
@Command(
    name = "templates",
    mixinStandardHelpOptions = true,
    description =
        "Fills JSON skeletons and checks texts and choices; exits with 1 if a text is broken.")
final class BenchTemplates implements Callable<Integer> {

  private static final int NOTHING = -1;
  private static final int PAGE_TOKENS = 16;
  private static final int MOST_TOKENS = 512;

  private final EngineFactory engines;

  @Mixin private ServerChoice server;

  @Mixin private RequestChoice requests;

  @Option(names = "--count", defaultValue = "200", description = "skeletons")
  private int count;

  @Option(names = "--seed", defaultValue = "1", description = "seed of skeletons and sampling")
  private long seed;

  @Option(names = "--show", description = "print so many filled skeletons")
  private int show;

  private int filled;
  private int choices;
  private int unseen;
  private int agreed;

  BenchTemplates(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    List<BenchRequest> prompts = requests.read(0, List.of("story"));
    Random random = new Random(seed);
    EngineLimits limits = new EngineLimits(1, 1, MOST_TOKENS, MOST_TOKENS, 0, 0, PAGE_TOKENS);
    Path model = EmbeddedModel.source().directory();
    try (Link link = server.open(engines);
        NativeEngine engine =
            NativeEngine.open(
                new EngineOptions(model, 0, ProductType.AUTO, DeviceChoice.CPU, false, limits))) {
      for (int index = 0; index < count; index++) {
        fill(
            link,
            engine,
            prompts.get(index % prompts.size()),
            TemplateCase.draw(random),
            index < show);
      }
    }
    System.out.printf(
        "{\"skeletons\": %d, \"filled\": %d, \"choices\": %d, \"seen\": %d, \"agree\": %d}%n",
        count, filled, choices, choices - unseen, agreed);
    return filled == count ? 0 : 1;
  }

  private int[] tokens(Link link, Prompt prompt) {
    return Tokens.of(link.channel(), server.model(), prompt).stream()
        .mapToInt(Integer::intValue)
        .toArray();
  }

  private int[] tokens(Link link, String text) {
    return tokens(link, Prompt.newBuilder().setText(text).build());
  }

  private void fill(
      Link link, NativeEngine engine, BenchRequest request, TemplateCase skeleton, boolean print) {
    GenerateStart.Builder start =
        GenerateStart.newBuilder()
            .setModel(server.model())
            .setPrompt(request.prompt())
            .setStream(
                StreamSpec.newBuilder()
                    .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
                    .setIncludeTokenIds(true));
    start.getCanvasBuilder().setTemplate(skeleton.template());
    start.getSamplingBuilder().setSeed(seed);
    Iterator<Event> events =
        GenerationServiceGrpc.newBlockingStub(link.channel())
            .streamGenerate(StreamGenerateRequest.newBuilder().setStart(start).build());
    List<int[]> canvases = new ArrayList<>(List.of(fixed(link, skeleton)));
    List<Integer> steps = new ArrayList<>(List.of(0));
    Finished finished = Finished.getDefaultInstance();
    while (events.hasNext()) {
      Event event = events.next();
      switch (event.getKindCase()) {
        case CANVAS_KEYFRAME -> {
          canvases.add(apply(canvases.getLast(), event.getCanvasKeyframe().getSpansList()));
          steps.add(event.getStep());
        }
        case CANVAS_DELTA -> {
          CanvasDelta delta = event.getCanvasDelta();
          canvases.add(apply(canvases.getLast(), delta.getSpansList()));
          steps.add(event.getStep());
        }
        case FINISHED -> finished = event.getFinished();
        default -> {}
      }
    }
    filled += skeleton.isFilledBy(finished.getText()) ? 1 : 0;
    if (print) {
      System.err.println(request.request() + " " + finished.getText());
    }
    checkChoices(link, engine, tokens(link, request.prompt()), skeleton, canvases, steps);
  }

  /** The canvas before the first step. */
  private int[] fixed(Link link, TemplateCase skeleton) {
    IntStream.Builder canvas = IntStream.builder();
    for (TemplatePart part : skeleton.template().getPartsList()) {
      int[] tokens =
          part.hasFixedText() ? tokens(link, part.getFixedText()) : new int[length(link, part)];
      for (int token : tokens) {
        canvas.add(part.hasFixedText() ? token : NOTHING);
      }
    }
    return canvas.build().toArray();
  }

  private int length(Link link, TemplatePart part) {
    return switch (part.getPartCase()) {
      case FIXED_TEXT -> tokens(link, part.getFixedText()).length;
      case FREE_SLOT -> part.getFreeSlot().getLengthTokens();
      case CHOICE_SLOT ->
          part.getChoiceSlot().getOptionsList().stream()
              .mapToInt(option -> tokens(link, option).length)
              .max()
              .orElseThrow();
      case PART_NOT_SET -> throw new IllegalArgumentException("part: not set (expected: set)");
    };
  }

  private static int[] apply(int[] before, List<Span> spans) {
    int[] tokens = before.clone();
    for (Span span : spans) {
      for (int index = 0; index < span.getLength(); index++) {
        tokens[span.getStart() + index] =
            span.getTokenIdsCount() == 0 ? NOTHING : span.getTokenIds(index);
      }
    }
    return tokens;
  }

  private void checkChoices(
      Link link,
      NativeEngine engine,
      int[] prompt,
      TemplateCase skeleton,
      List<int[]> canvases,
      List<Integer> steps) {
    int position = 0;
    for (TemplatePart part : skeleton.template().getPartsList()) {
      int length = length(link, part);
      if (part.hasChoiceSlot()) {
        List<int[]> options =
            part.getChoiceSlot().getOptionsList().stream()
                .map(option -> tokens(link, option))
                .toList();
        check(engine, prompt, canvases, steps, position, length, options);
      }
      position += length;
    }
  }

  private void check(
      NativeEngine engine,
      int[] prompt,
      List<int[]> canvases,
      List<Integer> steps,
      int start,
      int length,
      List<int[]> options) {
    choices++;
    int after = 0;
    while (canvases.get(after)[start] == NOTHING) {
      after++;
    }
    if (steps.get(after) != steps.get(after - 1) + 1) {
      unseen++;
      return;
    }
    int best = best(engine, prompt, canvases.get(after - 1), start, length, options);
    int[] written = canvases.get(after);
    int[] expected = options.get(best);
    agreed +=
        Arrays.equals(written, start, start + expected.length, expected, 0, expected.length)
            ? 1
            : 0;
  }

  /** The option with the highest mean log-probability, from the logits of the whole vocabulary. */
  private static int best(
      NativeEngine engine, int[] prompt, int[] canvas, int start, int length, List<int[]> options) {
    int mask = engine.info().maskTokenId();
    StepBatch batch = new StepBatch(engine.limits());
    batch.add(ItemKind.DENOISE, 0, 0);
    for (int token : prompt) {
      batch.addToken(token);
    }
    for (int token : canvas) {
      batch.addToken(token == NOTHING ? mask : token);
    }
    for (int offset = 0; offset < length; offset++) {
      batch.addCandidateRow(prompt.length + start + offset);
    }
    float[] logits = engine.logits(batch);
    int vocabulary = engine.info().vocabulary();
    int best = 0;
    double bestScore = Double.NEGATIVE_INFINITY;
    for (int option = 0; option < options.size(); option++) {
      int[] tokens = options.get(option);
      double sum = 0;
      for (int offset = 0; offset < tokens.length; offset++) {
        sum += logProbability(logits, offset * vocabulary, vocabulary, tokens[offset], mask);
      }
      if (sum / tokens.length > bestScore) {
        best = option;
        bestScore = sum / tokens.length;
      }
    }
    return best;
  }

  private static double logProbability(
      float[] logits, int first, int vocabulary, int token, int suppressed) {
    double total = 0;
    for (int each = 0; each < vocabulary; each++) {
      total += each == suppressed ? 0 : Math.exp(logits[first + each] - logits[first + token]);
    }
    return -Math.log(total);
  }
}
