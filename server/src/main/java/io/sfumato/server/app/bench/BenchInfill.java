package io.sfumato.server.app.bench;

import io.grpc.ManagedChannel;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.Finished;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.Segment;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code sfumato bench infill}: masks a share of the tokens of known texts, has them filled in by
 * Refine, and counts how many come out as they were.
 */
@Command(
    name = "infill",
    mixinStandardHelpOptions = true,
    description = "Masked-token accuracy: prints one JSON line.")
final class BenchInfill implements Callable<Integer> {

  private final EngineFactory engines;

  @Mixin private ServerChoice server;

  @Mixin private SamplingOptions sampling;

  @Mixin private Workload workload;

  @Option(
      names = "--mask-share",
      defaultValue = "0.5",
      description = "share of the tokens to mask, 0..1")
  private double maskShare;

  /** What came out of one text. */
  private record Score(int masked, int right, int passes) {}

  BenchInfill(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    List<BenchRequest> work = workload.read(workload.limit(100), List.of("story"));
    int masked = 0;
    int right = 0;
    int passes = 0;
    try (Link link = server.open(engines);
        ExecutorService pool = Executors.newFixedThreadPool(workload.concurrency())) {
      List<Future<Score>> scores = new ArrayList<>();
      for (int index = 0; index < work.size(); index++) {
        BenchRequest request = work.get(index);
        Random masks = new Random(workload.seed() * 1_000_003 + index);
        scores.add(pool.submit(() -> fill(link.channel(), request, masks)));
      }
      for (Future<Score> each : scores) {
        masked += each.get().masked();
        right += each.get().right();
        passes += each.get().passes();
      }
    }
    System.out.printf(
        Locale.ROOT,
        "{\"texts\": %d, \"mask_share\": %.2f, \"masked\": %d, \"token_accuracy\": %.4f,"
            + " \"passes\": %.1f}%n",
        work.size(),
        maskShare,
        masked,
        (double) right / Math.max(1, masked),
        (double) passes / work.size());
    return 0;
  }

  private Score fill(ManagedChannel channel, BenchRequest request, Random masks) throws Exception {
    List<Integer> truth = Tokens.of(channel, server.model(), request.reference());
    boolean[] hidden = new boolean[truth.size()];
    RefineStart.Builder start = start(request);
    for (int position = 0; position < hidden.length; position++) {
      hidden[position] = masks.nextDouble() < maskShare;
      Segment.Builder segment = Segment.newBuilder();
      if (hidden[position]) {
        segment.setBlankTokens(1).setMode(Segment.Mode.MODE_EDITABLE);
      } else {
        segment
            .setTokenIds(TokenIds.newBuilder().addIds(truth.get(position)))
            .setMode(Segment.Mode.MODE_LOCKED);
      }
      start.addSegments(segment);
    }
    Finished finished = WholeCalls.refine(channel, start.build());
    int masked = 0;
    int right = 0;
    for (int position = 0; position < hidden.length; position++) {
      if (hidden[position]) {
        masked++;
        boolean there = position < finished.getTokenIdsCount();
        right += there && finished.getTokenIds(position) == truth.get(position) ? 1 : 0;
      }
    }
    return new Score(masked, right, finished.getUsage().getForwardPasses());
  }

  private RefineStart.Builder start(BenchRequest request) {
    RefineStart.Builder start =
        RefineStart.newBuilder()
            .setModel(server.model())
            .setStream(
                StreamSpec.newBuilder()
                    .setDetail(StreamSpec.Detail.DETAIL_FINAL_ONLY)
                    .setIncludeTokenIds(true))
            .setInstruction(request.prompt());
    sampling.apply(start.getCanvasBuilder(), start.getSamplingBuilder(), workload.seed());
    return start;
  }
}
