package io.sfumato.server.app.bench;

import io.grpc.ManagedChannel;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.StreamGenerateRequest;
import io.sfumato.v1.StreamSpec;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code sfumato bench load}: streams generations at several levels of concurrency and prints rates
 * and latencies.
 */
@Command(
    name = "load",
    mixinStandardHelpOptions = true,
    description = "Streams generations at several levels of concurrency; one row per level.")
final class BenchLoad implements Callable<Integer> {

  private final EngineFactory engines;

  @Mixin private ServerChoice server;

  @Mixin private SamplingOptions sampling;

  @Mixin private RequestChoice requests;

  @Option(
      names = "--levels",
      split = ",",
      defaultValue = "1,2,4,8,16",
      description = "sessions at the same time")
  private List<Integer> levels;

  @Option(names = "--sessions", defaultValue = "32", description = "sessions per level")
  private int sessions;

  @Option(
      names = "--warm-up",
      defaultValue = "8",
      description = "sessions before the first level, not counted")
  private int warmUp;

  /** What one streamed generation showed its client. */
  private record Observation(
      long firstCanvasNanos, long totalNanos, int tokens, int passes, long tokenForwards) {}

  BenchLoad(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    List<BenchRequest> work = requests.read(sessions, List.of("story"));
    try (Link link = server.open(engines)) {
      run(link.channel(), work, 1, warmUp);
      System.out.println(
          "| sessions | tokens/s | passes/s | token-forwards/s | time per pass, ms | first canvas p50 / p99, ms | total p50 / p99, ms"
              + " | cost per token-forward against 1 session |");
      System.out.println("|---|---|---|---|---|---|---|---|");
      double alone = 0;
      for (int level : levels) {
        long begin = System.nanoTime();
        Observation[] seen = run(link.channel(), work, level, sessions);
        double seconds = (System.nanoTime() - begin) / 1e9;
        double forwards = Arrays.stream(seen).mapToLong(Observation::tokenForwards).sum() / seconds;
        double passes = Arrays.stream(seen).mapToInt(Observation::passes).sum() / seconds;
        alone = alone == 0 ? forwards : alone;
        Latencies first = latencies(seen, Observation::firstCanvasNanos);
        Latencies total = latencies(seen, Observation::totalNanos);
        System.out.printf(
            Locale.ROOT,
            "| %d | %.0f | %.0f | %.0f | %.2f | %.1f / %.1f | %.0f / %.0f | %.2f |%n",
            level,
            Arrays.stream(seen).mapToInt(Observation::tokens).sum() / seconds,
            passes,
            forwards,
            1e3 * level / passes,
            first.millis(0.5),
            first.millis(0.99),
            total.millis(0.5),
            total.millis(0.99),
            alone / forwards);
      }
    }
    return 0;
  }

  private Observation[] run(ManagedChannel channel, List<BenchRequest> work, int level, int count)
      throws Exception {
    try (ExecutorService pool = Executors.newFixedThreadPool(level)) {
      List<Future<Observation>> running =
          IntStream.range(0, count)
              .mapToObj(
                  index -> pool.submit(() -> stream(channel, work.get(index % work.size()), index)))
              .toList();
      Observation[] seen = new Observation[count];
      for (int index = 0; index < count; index++) {
        seen[index] = running.get(index).get();
      }
      return seen;
    }
  }

  private Observation stream(ManagedChannel channel, BenchRequest request, long seed) {
    GenerateStart.Builder start =
        GenerateStart.newBuilder()
            .setModel(server.model())
            .setPrompt(request.prompt())
            .setStream(StreamSpec.newBuilder().setDetail(StreamSpec.Detail.DETAIL_CANVAS));
    sampling.apply(start.getCanvasBuilder(), start.getSamplingBuilder(), seed);
    long begin = System.nanoTime();
    long firstCanvas = 0;
    Iterator<Event> events =
        GenerationServiceGrpc.newBlockingStub(channel)
            .streamGenerate(StreamGenerateRequest.newBuilder().setStart(start).build());
    while (events.hasNext()) {
      Event event = events.next();
      if (firstCanvas == 0
          && event.getStep() > 0
          && (event.hasCanvasKeyframe() || event.hasCanvasDelta())) {
        firstCanvas = System.nanoTime() - begin;
      }
      if (event.hasFinished()) {
        return new Observation(
            firstCanvas,
            System.nanoTime() - begin,
            event.getFinished().getUsage().getCommittedTokens(),
            event.getFinished().getUsage().getForwardPasses(),
            event.getFinished().getUsage().getTokenForwards());
      }
    }
    throw new IllegalStateException("the stream ended without Finished");
  }

  private static Latencies latencies(Observation[] seen, ToLongFunction<Observation> figure) {
    return Latencies.of(Arrays.stream(seen).mapToLong(figure));
  }
}
