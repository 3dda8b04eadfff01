package io.sfumato.server.app.bench;

import io.grpc.ManagedChannel;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.BlockCommitted;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.Span;
import io.sfumato.v1.StreamGenerateRequest;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenIds;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.ToLongFunction;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;

/**
 * {@code sfumato bench prefix}: sessions whose prompt was read before, beside the same ones for
 * which it has to be read: time to the first canvas, and whether they show the same.
 */
@Command(
    name = "prefix",
    mixinStandardHelpOptions = true,
    description = "Sessions that share a prompt; exits with 1 if one shows something else.")
final class BenchPrefix implements Callable<Integer> {

  private final EngineFactory engines;

  @CommandLine.Spec private CommandSpec spec;

  @Mixin private ServerChoice server;

  @Mixin private SamplingOptions sampling;

  @Option(names = "--prompt-tokens", defaultValue = "2048", description = "tokens of each prompt")
  private int promptTokens;

  @Option(names = "--vocabulary", defaultValue = "256", description = "prompts have tokens below")
  private int vocabulary;

  @Option(names = "--rounds", defaultValue = "10", description = "prompts, the first not counted")
  private int rounds;

  /** What one session showed its client; canvases may be missing, since frames are conflated. */
  private record Course(
      long firstCanvasNanos,
      Map<Integer, List<Span>> canvases,
      List<BlockCommitted> blocks,
      Finished finished) {

    int cachedTokens() {
      return finished.getUsage().getCachedPromptTokens();
    }

    boolean showsTheSameAs(Course other) {
      return blocks.equals(other.blocks)
          && finished.getTokenIdsList().equals(other.finished.getTokenIdsList())
          && sharedSteps(other).stream()
              .allMatch(step -> canvases.get(step).equals(other.canvases.get(step)));
    }

    List<Integer> sharedSteps(Course other) {
      return canvases.keySet().stream().filter(other.canvases::containsKey).toList();
    }
  }

  BenchPrefix(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    BenchCommand.require(spec, "prompt-tokens", promptTokens, 1, 1 << 20);
    BenchCommand.require(spec, "vocabulary", vocabulary, 1, 1 << 20);
    BenchCommand.require(spec, "rounds", rounds, 2, 1000);
    List<Course> first = new ArrayList<>();
    List<Course> again = new ArrayList<>();
    List<Course> salted = new ArrayList<>();
    try (Link link = server.open(engines)) {
      for (int round = 0; round < rounds; round++) {
        TokenIds.Builder prompt = TokenIds.newBuilder();
        new Random(round).ints(promptTokens, 0, vocabulary).forEach(prompt::addIds);
        first.add(stream(link.channel(), prompt, round, ""));
        again.add(stream(link.channel(), prompt, round, ""));
        salted.add(stream(link.channel(), prompt, round, "another tenant's"));
      }
    }
    int canvases = 0;
    boolean same = true;
    for (int round = 0; round < rounds; round++) {
      canvases += first.get(round).sharedSteps(again.get(round)).size();
      same &= again.get(round).showsTheSameAs(first.get(round));
      same &= salted.get(round).showsTheSameAs(first.get(round));
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println("| session | prompt tokens | of them cached | first canvas p50, ms | share |");
    out.println("|---|---|---|---|---|");
    double read = millis(first);
    print(out, "first", first, read);
    print(out, "second, the same prompt", again, read);
    print(out, "third, another salt", salted, read);
    out.println(
        (same ? "The same" : "Not the same") + " tokens and canvases; compared: " + canvases);
    out.flush();
    return same ? 0 : 1;
  }

  private void print(PrintWriter out, String name, List<Course> courses, double read) {
    out.printf(
        Locale.ROOT,
        "| %s | %d | %d | %.1f | %.1f %% |%n",
        name,
        promptTokens,
        courses.getLast().cachedTokens(),
        millis(courses),
        100 * millis(courses) / read);
  }

  private double millis(List<Course> courses) {
    ToLongFunction<Course> nanos = Course::firstCanvasNanos;
    return Latencies.of(courses.stream().skip(1).mapToLong(nanos)).millis(0.5);
  }

  private Course stream(ManagedChannel channel, TokenIds.Builder prompt, long seed, String salt) {
    GenerateStart.Builder start =
        GenerateStart.newBuilder()
            .setModel(server.model())
            .setPrompt(Prompt.newBuilder().setTokenIds(prompt))
            .setCacheSalt(salt)
            .setStream(
                StreamSpec.newBuilder()
                    .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
                    .setKeyframeEveryNFrames(1)
                    .setIncludeConfidences(true)
                    .setIncludeTokenIds(true));
    sampling.apply(start.getCanvasBuilder(), start.getSamplingBuilder(), seed);
    Map<Integer, List<Span>> canvases = new HashMap<>();
    List<BlockCommitted> blocks = new ArrayList<>();
    long begin = System.nanoTime();
    long firstCanvas = 0;
    Iterator<Event> events =
        GenerationServiceGrpc.newBlockingStub(channel)
            .streamGenerate(StreamGenerateRequest.newBuilder().setStart(start).build());
    while (events.hasNext()) {
      Event event = events.next();
      if (event.getStep() > 0 && event.hasCanvasKeyframe()) {
        firstCanvas = firstCanvas == 0 ? System.nanoTime() - begin : firstCanvas;
        canvases.put(event.getStep(), event.getCanvasKeyframe().getSpansList());
      } else if (event.hasBlockCommitted()) {
        blocks.add(event.getBlockCommitted());
      } else if (event.hasFinished()) {
        return new Course(firstCanvas, canvases, blocks, event.getFinished());
      }
    }
    throw WholeCalls.unfinished();
  }
}
