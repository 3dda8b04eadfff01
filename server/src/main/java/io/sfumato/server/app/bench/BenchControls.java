package io.sfumato.server.app.bench;

import io.grpc.Channel;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.StreamSpec;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.LongFunction;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato bench controls}: how long a client waits until a control has taken effect. Lives
 * on the main thread.
 */
@Command(
    name = "controls",
    mixinStandardHelpOptions = true,
    description =
        "Times controls from sending to ControlApplied, on a scripted engine of fixed step times"
            + " and on a model; one row each.")
final class BenchControls implements Callable<Integer> {

  private static final int WARM_UP = 20;

  private final EngineFactory engines;

  @Spec private CommandSpec spec;

  @Mixin private ServerChoice server;

  @Mixin private SamplingOptions sampling;

  @Mixin private RequestChoice requests;

  @Option(
      names = "--step-millis",
      split = ",",
      defaultValue = "2,10",
      description = "step times of the scripted engine, in ms (default: ${DEFAULT-VALUE})")
  private List<Double> stepMillis;

  @Option(
      names = "--scripted-canvas",
      defaultValue = "2048",
      description =
          "canvas of the scripted engine in tokens, one per step (default: ${DEFAULT-VALUE})")
  private int canvas;

  @Option(
      names = "--controls",
      defaultValue = "1000",
      description = "controls applied per row (default: ${DEFAULT-VALUE})")
  private int controls;

  @Option(
      names = "--others",
      split = ",",
      defaultValue = "0,8",
      description = "other sessions at the same time, a row each (default: ${DEFAULT-VALUE})")
  private List<Integer> others;

  @Option(names = "--scripted-only", description = "leave out the model")
  private boolean scriptedOnly;

  @Option(names = "--seed", defaultValue = "1", description = "seed of all random choices")
  private long seed;

  BenchControls(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    BenchCommand.require(spec, "--scripted-canvas", canvas, 16, 4096);
    BenchCommand.require(spec, "--controls", controls, 1, 1_000_000);
    for (int count : others) {
      BenchCommand.require(spec, "--others", count, 0, 200);
    }
    List<BenchRequest> work = requests.read(0, List.of("story"));
    System.out.println(
        "| engine | other sessions | time per step, ms | controls applied | p50 / p99 / max, ms |"
            + " p50 / p99 / max, steps | refused | after the end |");
    System.out.println("|---|---|---|---|---|---|---|---|");
    for (double millis : stepMillis) {
      for (int count : others) {
        scripted(millis, count);
      }
    }
    if (scriptedOnly) {
      return 0;
    }
    try (Link link = server.open(engines)) {
      for (int count : others) {
        row("model", link.channel(), index -> start(work, index), count);
      }
    }
    return 0;
  }

  private void scripted(double millis, int count) throws Exception {
    try (ScriptedModel model = new ScriptedModel((long) (millis * 1e6), canvas, count + 1);
        Loopback loopback = Loopback.start(model)) {
      row(
          String.format(Locale.ROOT, "scripted, %s ms", millis),
          loopback.channel(),
          index -> Loopback.request(seed + index).build(),
          count);
    }
  }

  private GenerateStart start(List<BenchRequest> work, long index) {
    GenerateStart.Builder start =
        GenerateStart.newBuilder()
            .setModel(server.model())
            .setPrompt(work.get((int) (index % work.size())).prompt())
            .setStream(StreamSpec.newBuilder().setDetail(StreamSpec.Detail.DETAIL_CANVAS));
    sampling.apply(start.getCanvasBuilder(), start.getSamplingBuilder(), seed);
    return start.build();
  }

  private void row(String engine, Channel channel, LongFunction<GenerateStart> starts, int count)
      throws Exception {
    ControlProbe.Outcome outcome;
    try (BackgroundSessions background = new BackgroundSessions(channel, count, starts)) {
      background.awaitBegun();
      new ControlProbe(channel, starts, seed).run(WARM_UP);
      outcome = new ControlProbe(channel, starts, seed).run(controls);
    }
    Latencies latencies = outcome.latencies();
    double step = outcome.stepMillis();
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %.2f | %d | %.2f / %.2f / %.2f | %.2f / %.2f / %.2f | %d | %d |%n",
        engine,
        count,
        step,
        latencies.count(),
        latencies.millis(0.5),
        latencies.millis(0.99),
        latencies.millis(1),
        latencies.millis(0.5) / step,
        latencies.millis(0.99) / step,
        latencies.millis(1) / step,
        outcome.refused(),
        outcome.unanswered());
  }
}
