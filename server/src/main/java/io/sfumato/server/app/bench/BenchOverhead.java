package io.sfumato.server.app.bench;

import com.sun.management.ThreadMXBean;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.StreamGenerateRequest;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code sfumato bench overhead}: what everything around the model costs. A scripted engine of no
 * cost, a real server on loopback and a client that reads every canvas.
 */
@Command(
    name = "overhead",
    mixinStandardHelpOptions = true,
    description =
        "Steps per second, latency per frame and allocation per step with an engine that costs"
            + " nothing.")
final class BenchOverhead implements Callable<Integer> {

  @Option(
      names = "--canvas",
      defaultValue = "256",
      description = "canvas length in tokens; one is accepted per step")
  private int canvas;

  @Option(names = "--rounds", defaultValue = "20", description = "canvases per session")
  private int rounds;

  @Option(
      names = "--levels",
      split = ",",
      defaultValue = "1,4,16",
      description = "sessions at the same time")
  private List<Integer> levels;

  @Option(
      names = "--step-millis",
      defaultValue = "2",
      description = "time of a step for the latency per frame, in ms")
  private double stepMillis;

  @Override
  public Integer call() throws Exception {
    System.out.println(
        "| sessions | steps/s, all sessions | frames received per step | allocation per step and"
            + " session, engine thread, bytes |");
    System.out.println("|---|---|---|---|");
    for (int level : levels) {
      throughput(level);
    }
    latency();
    return 0;
  }

  private void throughput(int level) throws Exception {
    try (ScriptedModel model = new ScriptedModel(0, canvas, level);
        Loopback loopback = Loopback.start(model);
        ExecutorService pool = Executors.newFixedThreadPool(level)) {
      run(pool, loopback, level, rounds); // warm-up
      ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
      long engineThread = engineThread(threads);
      long allocated = threads.getThreadAllocatedBytes(engineThread);
      long begin = System.nanoTime();
      long frames = run(pool, loopback, level, rounds);
      double seconds = (System.nanoTime() - begin) / 1e9;
      double steps = (double) level * rounds * canvas;
      System.out.printf(
          Locale.ROOT,
          "| %d | %.0f | %.2f | %.0f |%n",
          level,
          steps / seconds,
          frames / steps,
          (threads.getThreadAllocatedBytes(engineThread) - allocated) / steps);
    }
  }

  private long run(ExecutorService pool, Loopback loopback, int level, int canvases)
      throws Exception {
    List<Future<Long>> running =
        IntStream.range(0, level)
            .mapToObj(session ->
                pool.submit(() -> {
                  long frames = 0;
                  for (int round = 0; round < canvases; round++) {
                    Iterator<Event> events = stream(loopback, session);
                    while (events.hasNext()) {
                      Event event = events.next();
                      frames += event.hasCanvasDelta() || event.hasCanvasKeyframe() ? 1 : 0;
                    }
                  }
                  return frames;
                }))
            .toList();
    long frames = 0;
    for (Future<Long> each : running) {
      frames += each.get();
    }
    return frames;
  }

  private void latency() throws Exception {
    long stepNanos = (long) (stepMillis * 1e6);
    try (ScriptedModel model = new ScriptedModel(stepNanos, canvas, 1);
        Loopback loopback = Loopback.start(model)) {
      long[] added = new long[rounds * canvas];
      int count = 0;
      for (int round = 0; round < rounds; round++) {
        Iterator<Event> events = stream(loopback, round);
        while (events.hasNext()) {
          Event event = events.next();
          if (event.getStep() > 0
              && (event.hasCanvasDelta() || event.hasCanvasKeyframe())
              && count < added.length) {
            added[count++] = System.nanoTime() - model.stepEndNanos();
          }
        }
      }
      Latencies warm = Latencies.of(Arrays.copyOfRange(added, count / 2, count));
      System.out.printf(
          Locale.ROOT,
          "%nlatency added per frame at %s ms per step (engine done to client, %d frames): p50 %.0f"
              + " us, p99 %.0f us, max %.0f us%n",
          stepMillis,
          warm.count(),
          warm.millis(0.5) * 1e3,
          warm.millis(0.99) * 1e3,
          warm.millis(1) * 1e3);
    }
  }

  private static long engineThread(ThreadMXBean threads) {
    for (long id : threads.getAllThreadIds()) {
      java.lang.management.ThreadInfo info = threads.getThreadInfo(id);
      if (info != null && info.getThreadName().equals(ScriptedModel.ENGINE_THREAD)) {
        return id;
      }
    }
    throw new IllegalStateException(
        "thread " + ScriptedModel.ENGINE_THREAD + ": none (expected: running)");
  }

  private static Iterator<Event> stream(Loopback loopback, long seed) {
    return GenerationServiceGrpc.newBlockingStub(loopback.channel())
        .streamGenerate(
            StreamGenerateRequest.newBuilder().setStart(Loopback.request(seed)).build());
  }
}
