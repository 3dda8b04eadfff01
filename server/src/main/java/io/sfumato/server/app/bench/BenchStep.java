package io.sfumato.server.app.bench;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineException;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.app.EmbeddedModel;
import io.sfumato.server.app.EngineChoice;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.EngineFactory;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato bench step}: how long a denoising step of a model takes. Lives on the main thread.
 */
@Command(
    name = "step",
    description =
        "Times denoising steps: whole canvases of undecided positions, through the engine alone.",
    mixinStandardHelpOptions = true)
final class BenchStep implements Callable<Integer> {

  private static final int PAGE_TOKENS = 16;

  private final EngineFactory engines;

  @Spec private CommandSpec spec;

  @Option(
      names = "--canvas",
      paramLabel = "N",
      description = "Tokens of a canvas (default: ${DEFAULT-VALUE}).")
  private int canvas = 256;

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      description = "Canvases per step (default: ${DEFAULT-VALUE}).")
  private List<Integer> batches = List.of(1, 4);

  @Option(
      names = "--runs",
      paramLabel = "N",
      description = "Timed steps (default: ${DEFAULT-VALUE}).")
  private int runs = 30;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the engine (default: one per core).")
  private int threads;

  @Mixin private EngineChoice choice;

  @Parameters(
      paramLabel = "DIR",
      arity = "0..1",
      description = "A model directory (default: the embedded model).")
  private Path directory;

  BenchStep(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() {
    BenchCommand.require(spec, "canvas", canvas, 1, 1 << 16);
    BenchCommand.require(spec, "runs", runs, 1, 1_000_000);
    batches.forEach(batch -> BenchCommand.require(spec, "batch", batch, 1, 1024));
    PrintWriter out = spec.commandLine().getOut();
    Path model = directory == null ? EmbeddedModel.source().directory() : directory;
    int most = batches.stream().mapToInt(Integer::intValue).max().orElseThrow();
    int tokens = most * canvas;
    EngineLimits limits = new EngineLimits(most, most, tokens, tokens, 0, 0, PAGE_TOKENS);
    try (DenoiseEngine engine =
        engines.open(
            new EngineOptions(model, threads, choice.products(), choice.device(), false, limits))) {
      EngineInfo info = engine.info();
      out.printf(
          Locale.ROOT,
          "%s, %,d parameters, %s, %s, products %s, %d threads, canvas %d%n",
          info.family(),
          info.parameters(),
          info.device().name(),
          info.instructionSet(),
          info.products(),
          info.threads(),
          canvas);
      for (int batch : batches) {
        print(out, batch, times(engine, batch));
      }
    } catch (EngineException e) {
      throw new ServingException(ErrorReason.MODEL_CAPABILITY, e.getMessage(), e);
    }
    out.flush();
    return 0;
  }

  /** The first tenth of the runs warms up. */
  private Latencies times(DenoiseEngine engine, int batchSize) {
    StepBatch batch = new StepBatch(engine.limits());
    int mask = Math.max(0, engine.info().maskTokenId());
    boolean inBlocks = engine.info().attention() == AttentionKind.BLOCK_CAUSAL;
    for (int item = 0; item < batchSize; item++) {
      batch.add(ItemKind.DENOISE, item, 0).blocks(inBlocks ? canvas : 0, 0);
      for (int position = 0; position < canvas; position++) {
        batch.addToken(mask);
        batch.addCandidateRow(position);
      }
    }
    for (int run = 0; run < 1 + runs / 10; run++) {
      engine.run(batch);
    }
    long[] nanos = new long[runs];
    for (int run = 0; run < runs; run++) {
      long start = System.nanoTime();
      engine.run(batch);
      nanos[run] = System.nanoTime() - start;
    }
    return Latencies.of(nanos);
  }

  private void print(PrintWriter out, int batch, Latencies times) {
    double median = times.millis(0.5);
    out.printf(
        Locale.ROOT,
        "batch %2d   median %8.3f ms   best %8.3f ms   p90 %8.3f ms   %9.0f token-forwards/s%n",
        batch,
        median,
        times.millis(0),
        times.millis(0.9),
        batch * canvas / median * 1000);
  }
}
