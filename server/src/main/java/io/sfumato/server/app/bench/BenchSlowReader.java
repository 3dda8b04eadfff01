package io.sfumato.server.app.bench;

import io.grpc.ManagedChannel;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.ListModelsRequest;
import io.sfumato.v1.ModelServiceGrpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato bench slow-reader}: what clients cost that stop to read, and whether they are told
 * the truth when they read on. Lives on the main thread.
 *
 * <p>The engine is scripted, each slow client has a connection of its own and is sent whole
 * canvases at every step. Clients live in the same heap; their connections are there before the
 * measurement.
 */
@Command(
    name = "slow-reader",
    mixinStandardHelpOptions = true,
    description =
        "Heap per client that does not read, and the step rate of the others meanwhile; fails when"
            + " a slow client does not get the newest canvas and the whole text.")
final class BenchSlowReader implements Callable<Integer> {

  private static final int MOST_COMPLAINTS = 10;

  /** A canvas takes so many times the pause at least, so that it still goes on at its end. */
  private static final double LENGTH = 1.5;

  @Spec private CommandSpec spec;

  @Option(
      names = "--canvas",
      split = ",",
      defaultValue = "256,4096",
      description = "canvas lengths in tokens, a row each (default: ${DEFAULT-VALUE})")
  private List<Integer> canvases;

  @Option(
      names = "--readers",
      defaultValue = "200",
      description = "clients that stop to read (default: ${DEFAULT-VALUE})")
  private int readers;

  @Option(
      names = "--others",
      defaultValue = "4",
      description = "sessions at the same time whose clients read (default: ${DEFAULT-VALUE})")
  private int others;

  @Option(
      names = "--pause-seconds",
      defaultValue = "10",
      description = "how long the slow clients do not read (default: ${DEFAULT-VALUE})")
  private int pauseSeconds;

  @Option(
      names = "--steps",
      defaultValue = "1024",
      description = "steps per canvas, at most one per token (default: ${DEFAULT-VALUE})")
  private int mostSteps;

  /** Steps per second of each other session. */
  private record Rates(double alone, double besideReading, double besideSlow) {}

  @Override
  public Integer call() throws Exception {
    for (int canvas : canvases) {
      BenchCommand.require(spec, "--canvas", canvas, 16, 4096);
    }
    BenchCommand.require(spec, "--readers", readers, 1, 200);
    BenchCommand.require(spec, "--others", others, 1, 50);
    BenchCommand.require(spec, "--pause-seconds", pauseSeconds, 1, 3600);
    BenchCommand.require(spec, "--steps", mostSteps, 16, 4096);
    System.out.println(
        "| canvas | slow clients | heap per slow client, bytes | per position | step set, ms |"
            + " steps/s of each other session: without, beside as many that read, beside slow ones |"
            + " canvases shown per step | old canvases at most, bytes |");
    System.out.println("|---|---|---|---|---|---|---|---|");
    List<String> untruths = new ArrayList<>();
    for (int canvas : canvases) {
      untruths.addAll(measure(canvas));
    }
    untruths.stream().limit(MOST_COMPLAINTS).forEach(System.out::println);
    System.out.printf(
        "%nnewest canvas and whole text on reading on: %s%n",
        untruths.isEmpty() ? "all clients" : "not all, " + untruths.size() + " untruths");
    return untruths.isEmpty() ? 0 : 1;
  }

  private List<String> measure(int canvas) throws Exception {
    int steps = Math.min(mostSteps, canvas);
    long stepNanos = (long) (LENGTH * pauseSeconds * 1e9 / steps);
    List<ManagedChannel> channels = new ArrayList<>();
    CountDownLatch waiting = new CountDownLatch(readers);
    CountDownLatch goOn = new CountDownLatch(1);
    try (ScriptedModel model = new ScriptedModel(stepNanos, canvas, readers + others);
        Loopback loopback = Loopback.start(model);
        ExecutorService pool = Executors.newFixedThreadPool(readers);
        BackgroundSessions background =
            new BackgroundSessions(
                loopback.channel(), others, seed -> start(canvas, steps, false, seed))) {
      try {
        for (int reader = 0; reader < readers; reader++) {
          channels.add(connected(loopback));
        }
        background.awaitBegun();
        double without = rate(background);
        double besideReading = besideReading(loopback, background, canvas, steps);
        long heapBefore = HeapMeter.reachableBytes();
        List<Future<SlowReader.Outcome>> outcomes = new ArrayList<>();
        for (ManagedChannel channel : channels) {
          GenerateStart start = start(canvas, steps, true, outcomes.size());
          outcomes.add(pool.submit(new SlowReader(channel, start, model, waiting, goOn)));
        }
        waiting.await();
        double with = rate(background);
        long heap = (HeapMeter.reachableBytes() - heapBefore) / readers;
        goOn.countDown();
        return row(canvas, heap, stepNanos, new Rates(without, besideReading, with), outcomes);
      } finally {
        goOn.countDown();
        channels.forEach(ManagedChannel::shutdownNow);
      }
    }
  }

  private static ManagedChannel connected(Loopback loopback) {
    ManagedChannel channel = loopback.connect(SlowReader.WINDOW_BYTES);
    ListModelsRequest request = ListModelsRequest.getDefaultInstance();
    if (ModelServiceGrpc.newBlockingStub(channel).listModels(request).getModelsCount() != 1) {
      throw new IllegalStateException("models: not one (expected: the scripted one)");
    }
    return channel;
  }

  /**
   * @param whole whether every canvas is sent whole, with all there is to tell of it
   */
  private static GenerateStart start(int canvas, int steps, boolean whole, long seed) {
    GenerateStart.Builder start = Loopback.request(seed);
    start.getCanvasBuilder().setMaxLengthTokens(canvas);
    start
        .getSamplingBuilder()
        .setMaxStepsPerBlock(steps)
        .setFixedSchedule(
            FixedSchedule.newBuilder()
                .setSteps(steps)
                .setOrder(FixedSchedule.Order.ORDER_CONFIDENCE));
    if (whole) {
      start.getStreamBuilder().setKeyframeEveryNFrames(1).setIncludeConfidences(true);
    }
    return start.build();
  }

  /** The rate beside as many further sessions whose clients read. */
  private double besideReading(
      Loopback loopback, BackgroundSessions background, int canvas, int steps) throws Exception {
    try (BackgroundSessions reading =
        new BackgroundSessions(
            loopback.channel(), readers, seed -> start(canvas, steps, false, seed))) {
      reading.awaitBegun();
      return rate(background);
    }
  }

  /** Steps per second of each of the sessions whose clients read, over the time of a pause. */
  private double rate(BackgroundSessions background) throws InterruptedException {
    long steps = background.steps();
    long begin = System.nanoTime();
    TimeUnit.SECONDS.sleep(pauseSeconds);
    return (background.steps() - steps) / ((System.nanoTime() - begin) / 1e9) / others;
  }

  private List<String> row(
      int canvas, long heap, long stepNanos, Rates rates, List<Future<SlowReader.Outcome>> outcomes)
      throws Exception {
    List<String> untruths = new ArrayList<>();
    long frames = 0;
    long steps = 0;
    long stale = 0;
    for (int reader = 0; reader < outcomes.size(); reader++) {
      SlowReader.Outcome outcome = outcomes.get(reader).get();
      frames += outcome.frames();
      steps += outcome.steps();
      stale = Math.max(stale, outcome.staleBytes());
      for (String untruth : outcome.untruths()) {
        untruths.add("canvas " + canvas + ", client " + reader + ": " + untruth);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "| %d | %d | %d | %.1f | %.1f | %.1f / %.1f / %.1f | %.2f | %d |%n",
        canvas,
        readers,
        heap,
        (double) heap / canvas,
        stepNanos / 1e6,
        rates.alone(),
        rates.besideReading(),
        rates.besideSlow(),
        (double) frames / steps,
        stale);
    return untruths;
  }
}
