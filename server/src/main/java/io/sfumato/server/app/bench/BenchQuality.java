package io.sfumato.server.app.bench;

import com.google.protobuf.util.Durations;
import io.grpc.ManagedChannel;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerateTextRequest;
import io.sfumato.v1.GenerateTextResponse;
import io.sfumato.v1.GenerationServiceGrpc;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code sfumato bench quality}: serves held-out requests through a real server and writes what
 * came out, to be scored.
 */
@Command(
    name = "quality",
    mixinStandardHelpOptions = true,
    description =
        "Serves held-out requests and writes one JSON line per answer, for models/recipe/score.py.")
final class BenchQuality implements Callable<Integer> {

  private final EngineFactory engines;

  @Spec private CommandSpec command;

  @Mixin private ServerChoice server;

  @Mixin private SamplingOptions sampling;

  @Mixin private Workload workload;

  @Option(
      names = "--out",
      required = true,
      description = "JSON lines with kind, request, reference, text, token ids and passes")
  private Path out;

  @Option(
      names = "--soft-deadlines",
      split = "-",
      paramLabel = "MS",
      description = "a soft deadline for every request, drawn between two times, e.g. 200-3000")
  private int[] softDeadlines = {};

  @Option(
      names = "--warm-up",
      defaultValue = "0",
      description = "requests that are served before and not counted")
  private int warmUp;

  BenchQuality(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    if (softDeadlines.length != 0
        && (softDeadlines.length != 2
            || softDeadlines[0] < 1
            || softDeadlines[1] <= softDeadlines[0])) {
      throw new ParameterException(
          command.commandLine(),
          "--soft-deadlines: "
              + Arrays.toString(softDeadlines)
              + " (expected: two times in milliseconds, e.g. 200-3000)");
    }
    List<BenchRequest> work = workload.read(workload.limit(0), List.of());
    Random random = new Random(workload.seed());
    try (Link link = server.open(engines);
        ExecutorService pool = Executors.newFixedThreadPool(workload.concurrency());
        PrintWriter writer = new PrintWriter(Files.newBufferedWriter(out))) {
      warmUp(link.channel(), pool, work);
      List<Future<Answer>> answers = new ArrayList<>();
      for (BenchRequest request : work) {
        int softDeadline =
            softDeadlines.length == 0 ? 0 : random.nextInt(softDeadlines[0], softDeadlines[1]);
        answers.add(pool.submit(() -> serve(link.channel(), request, softDeadline)));
      }
      for (int index = 0; index < work.size(); index++) {
        Answer answer = answers.get(index).get();
        ObjectNode row = work.get(index).row(answer.response().getFinished());
        row.put("milliseconds", answer.milliseconds());
        if (answer.softDeadline() > 0) {
          row.put("soft_deadline", answer.softDeadline());
        }
        writer.println(row);
        if (index % 50 == 49) {
          System.err.println("served " + (index + 1) + " of " + work.size());
        }
      }
    }
    return 0;
  }

  private void warmUp(ManagedChannel channel, ExecutorService pool, List<BenchRequest> work)
      throws Exception {
    List<Future<Answer>> answers = new ArrayList<>();
    for (int index = 0; index < warmUp; index++) {
      BenchRequest request = work.get(index % work.size());
      answers.add(pool.submit(() -> serve(channel, request, 0)));
    }
    for (Future<Answer> each : answers) {
      each.get();
    }
  }

  /**
   * @param milliseconds as the client saw it, connection included
   * @param softDeadline in milliseconds; 0 for none
   */
  private record Answer(GenerateTextResponse response, double milliseconds, int softDeadline) {}

  private Answer serve(ManagedChannel channel, BenchRequest request, int softDeadline) {
    GenerateStart.Builder start =
        GenerateStart.newBuilder().setModel(server.model()).setPrompt(request.prompt());
    start.getStreamBuilder().setIncludeTokenIds(true);
    sampling.apply(start.getCanvasBuilder(), start.getSamplingBuilder(), workload.seed());
    if (softDeadline > 0) {
      start.getStopBuilder().setSoftDeadline(Durations.fromMillis(softDeadline));
    }
    long begun = System.nanoTime();
    GenerateTextResponse response =
        GenerationServiceGrpc.newBlockingStub(channel)
            .generateText(GenerateTextRequest.newBuilder().setStart(start).build());
    return new Answer(response, (System.nanoTime() - begun) / 1e6, softDeadline);
  }
}
