package io.sfumato.server.app.bench;

import io.grpc.ManagedChannel;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.Chat;
import io.sfumato.v1.ChatMessage;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerateTextRequest;
import io.sfumato.v1.GenerateTextResponse;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.Prompt;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.json.JsonMapper;
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

  @Mixin private ServerChoice server;

  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--requests",
      required = true,
      description = "JSON lines with kind, request and reference")
  private Path requests;

  @Option(
      names = "--out",
      required = true,
      description = "JSON lines with kind, request, reference, text and passes")
  private Path out;

  @Option(names = "--kinds", split = ",", description = "kinds to serve; all when not given")
  private List<String> kinds = List.of();

  @Option(names = "--limit", description = "requests per kind; 0 for all")
  private int limit;

  @Option(names = "--concurrency", defaultValue = "4", description = "requests in flight")
  private int concurrency;

  @Option(names = "--seed", defaultValue = "1", description = "seed of every request")
  private long seed;

  BenchQuality(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws Exception {
    List<BenchRequest> work = BenchRequest.read(requests, kinds, limit);
    JsonMapper mapper = JsonMapper.shared();
    try (Link link = server.open(engines);
        ExecutorService pool = Executors.newFixedThreadPool(concurrency);
        PrintWriter writer = new PrintWriter(Files.newBufferedWriter(out))) {
      List<Future<GenerateTextResponse>> answers = new ArrayList<>();
      for (BenchRequest request : work) {
        answers.add(pool.submit(() -> serve(link.channel(), request)));
      }
      for (int index = 0; index < work.size(); index++) {
        GenerateTextResponse answer = answers.get(index).get();
        ObjectNode row = mapper.createObjectNode();
        row.put("kind", work.get(index).kind());
        row.put("request", work.get(index).request());
        row.put("reference", work.get(index).reference());
        row.put("text", answer.getFinished().getText());
        row.put("passes", answer.getFinished().getUsage().getForwardPasses());
        row.put("revisions", answer.getFinished().getUsage().getRevisions());
        row.put("tokens", answer.getFinished().getUsage().getCommittedTokens());
        writer.println(mapper.writeValueAsString(row));
        if (index % 50 == 49) {
          System.err.println("served " + (index + 1) + " of " + work.size());
        }
      }
    }
    return 0;
  }

  private GenerateTextResponse serve(ManagedChannel channel, BenchRequest request) {
    GenerateStart.Builder start =
        GenerateStart.newBuilder()
            .setModel(server.model())
            .setPrompt(
                Prompt.newBuilder()
                    .setChat(
                        Chat.newBuilder()
                            .addMessages(
                                ChatMessage.newBuilder()
                                    .setRole("user")
                                    .setContent(request.request()))));
    sampling.apply(start.getCanvasBuilder(), start.getSamplingBuilder(), seed);
    return GenerationServiceGrpc.newBlockingStub(channel)
        .generateText(GenerateTextRequest.newBuilder().setStart(start).build());
  }
}
