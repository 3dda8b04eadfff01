package io.sfumato.server.app.bench;

import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.Chat;
import io.sfumato.v1.ChatMessage;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.RefineRequest;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.Segment;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenIds;
import io.sfumato.v1.TokenServiceGrpc;
import io.sfumato.v1.TokenizeRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
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

  @Option(
      names = "--requests",
      required = true,
      description = "JSON lines with kind, request and reference")
  private Path requests;

  @Option(names = "--kinds", split = ",", defaultValue = "story", description = "kinds to fill in")
  private List<String> kinds;

  @Option(names = "--limit", defaultValue = "100", description = "texts per kind; 0 for all")
  private int limit;

  @Option(
      names = "--mask-share",
      defaultValue = "0.5",
      description = "share of the tokens to mask, 0..1")
  private double maskShare;

  @Option(names = "--concurrency", defaultValue = "4", description = "texts in flight")
  private int concurrency;

  @Option(names = "--seed", defaultValue = "1", description = "seed of masks and sampling")
  private long seed;

  /** What came out of one text. */
  private record Score(int masked, int right, int passes) {}

  BenchInfill(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    List<BenchRequest> work = BenchRequest.read(requests, kinds, limit);
    int masked = 0;
    int right = 0;
    int passes = 0;
    try (Link link = server.open(engines);
        ExecutorService pool = Executors.newFixedThreadPool(concurrency)) {
      List<Future<Score>> scores = new ArrayList<>();
      for (int index = 0; index < work.size(); index++) {
        BenchRequest request = work.get(index);
        Random masks = new Random(seed * 1_000_003 + index);
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
    List<Integer> truth =
        TokenServiceGrpc.newBlockingStub(channel)
            .tokenize(
                TokenizeRequest.newBuilder()
                    .setModel(server.model())
                    .setPrompt(Prompt.newBuilder().setText(request.reference()))
                    .build())
            .getTokenIdsList();
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
    Finished finished = refine(channel, start.build());
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
            .setInstruction(
                Prompt.newBuilder()
                    .setChat(
                        Chat.newBuilder()
                            .addMessages(
                                ChatMessage.newBuilder()
                                    .setRole("user")
                                    .setContent(request.request()))));
    sampling.apply(start.getCanvasBuilder(), start.getSamplingBuilder(), seed);
    return start;
  }

  private static Finished refine(ManagedChannel channel, RefineStart start) throws Exception {
    CompletableFuture<Finished> result = new CompletableFuture<>();
    StreamObserver<RefineRequest> controls =
        GenerationServiceGrpc.newStub(channel)
            .refine(
                new StreamObserver<>() {
                  @Override
                  public void onNext(Event event) {
                    if (event.hasFinished()) {
                      result.complete(event.getFinished());
                    }
                  }

                  @Override
                  public void onError(Throwable failure) {
                    result.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {
                    result.completeExceptionally(
                        new IllegalStateException("the stream ended without Finished"));
                  }
                });
    controls.onNext(RefineRequest.newBuilder().setStart(start).build());
    controls.onCompleted();
    return result.get();
  }
}
