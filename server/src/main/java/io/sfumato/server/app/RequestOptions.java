package io.sfumato.server.app;

import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.ConfidenceThreshold;
import io.sfumato.v1.EntropyBound;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.Revision;
import io.sfumato.v1.SamplingSpec;
import io.sfumato.v1.StopSpec;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Options of a request; what is not given is the model's default. Confined to the main thread. */
final class RequestOptions {

  @Option(names = "--max-length", paramLabel = "N", description = "Tokens of the canvas.")
  private Integer maxLength;

  @Option(names = "--block", paramLabel = "N", description = "Tokens of a block.")
  private Integer block;

  @Option(names = "--seed", paramLabel = "N", description = "Seed of all noise.")
  private Long seed;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "0 takes the most probable token.")
  private Float temperature;

  @Option(names = "--max-steps", paramLabel = "N", description = "Most steps per block.")
  private Integer maxSteps;

  @ArgGroup private Acceptance acceptance = new Acceptance();

  @Option(
      names = "--remask",
      paramLabel = "P",
      description = "Open tokens again whose probability falls below P; 0 never.")
  private Float remask;

  @Option(
      names = "--cache",
      paramLabel = "KIND",
      description =
          "Take keys and values over from a block's first step, which is faster and an"
              + " approximation: prefix or dual.")
  private CacheChoice cache;

  @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text; repeatable.")
  private List<String> stops = new ArrayList<>();

  @Option(names = "--ignore-end-of-text", description = "Fill the whole canvas.")
  private boolean ignoreEndOfText;

  /** At most one of these. */
  static final class Acceptance {
    @Option(
        names = "--threshold",
        paramLabel = "P",
        description = "Accept tokens with at least this probability.")
    private Float threshold;

    @Option(
        names = "--entropy-bound",
        paramLabel = "H",
        description = "Accept tokens up to this sum of entropies.")
    private Float entropyBound;

    @Option(
        names = "--steps",
        paramLabel = "N",
        description = "Accept equal shares in this many steps per block.")
    private Integer steps;
  }

  CanvasSpec canvas() {
    CanvasSpec.Builder canvas = CanvasSpec.newBuilder();
    if (maxLength != null) {
      canvas.setMaxLengthTokens(maxLength);
    }
    if (block != null) {
      canvas.setBlockLengthTokens(block);
    }
    return canvas.build();
  }

  SamplingSpec sampling() {
    SamplingSpec.Builder sampling = SamplingSpec.newBuilder();
    if (seed != null) {
      sampling.setSeed(seed);
    }
    if (temperature != null) {
      sampling.setTemperature(temperature);
    }
    if (maxSteps != null) {
      sampling.setMaxStepsPerBlock(maxSteps);
    }
    if (acceptance.threshold != null) {
      sampling.setConfidenceThreshold(
          ConfidenceThreshold.newBuilder().setThreshold(acceptance.threshold));
    } else if (acceptance.entropyBound != null) {
      sampling.setEntropyBound(EntropyBound.newBuilder().setBound(acceptance.entropyBound));
    } else if (acceptance.steps != null) {
      sampling.setFixedSchedule(FixedSchedule.newBuilder().setSteps(acceptance.steps));
    }
    if (remask != null) {
      sampling.setRevision(
          Revision.newBuilder()
              .setRemaskThreshold(remask)
              .setMaxRevisionsPerToken(remask > 0 ? 2 : 0));
    }
    if (cache != null) {
      sampling.setApproximateCache(cache.contract());
    }
    return sampling.build();
  }

  StopSpec stop() {
    return StopSpec.newBuilder().addAllStopTexts(stops).setIgnoreEndOfText(ignoreEndOfText).build();
  }
}
