package io.sfumato.server.app.bench;

import io.sfumato.server.app.CacheChoice;
import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.ConfidenceThreshold;
import io.sfumato.v1.EntropyBound;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.Revision;
import io.sfumato.v1.SamplingSpec;
import picocli.CommandLine.Option;

/**
 * Options of a benchmark that override a model's decoding defaults; what is not given stays at the
 * default.
 */
final class SamplingOptions {

  @Option(names = "--length", description = "canvas length in tokens")
  private Integer length;

  @Option(names = "--block", description = "tokens per block")
  private Integer block;

  @Option(names = "--window", description = "window in tokens")
  private Integer window;

  @Option(names = "--max-steps", description = "forward passes per block at most")
  private Integer maxSteps;

  @Option(names = "--min-accept", description = "tokens accepted per step at least")
  private Integer minAccept;

  @Option(names = "--temperature", description = "0 takes the most probable token")
  private Float temperature;

  @Option(names = "--threshold", description = "accept above this confidence")
  private Float threshold;

  @Option(names = "--entropy-bound", description = "accept within this sum of entropies, in nats")
  private Float entropyBound;

  @Option(names = "--fixed-steps", description = "a fixed schedule of so many steps per block")
  private Integer fixedSteps;

  @Option(names = "--remask", description = "open tokens again below this probability; 0 never")
  private Float remask;

  @Option(names = "--max-revisions", description = "how often a token may be opened again")
  private Integer maxRevisions;

  @Option(names = "--cache", description = "keys and values of earlier steps: none, prefix or dual")
  private CacheChoice cache;

  /** Writes the given options into a request. */
  void apply(CanvasSpec.Builder canvas, SamplingSpec.Builder sampling, long seed) {
    sampling.setSeed(seed);
    if (length != null) {
      canvas.setMaxLengthTokens(length);
    }
    if (block != null) {
      canvas.setBlockLengthTokens(block);
    }
    if (window != null) {
      canvas.setWindowLengthTokens(window);
    }
    if (maxSteps != null) {
      sampling.setMaxStepsPerBlock(maxSteps);
    }
    if (minAccept != null) {
      sampling.setMinAcceptPerStep(minAccept);
    }
    if (temperature != null) {
      sampling.setTemperature(temperature);
    }
    if (threshold != null) {
      sampling.setConfidenceThreshold(ConfidenceThreshold.newBuilder().setThreshold(threshold));
    }
    if (entropyBound != null) {
      sampling.setEntropyBound(EntropyBound.newBuilder().setBound(entropyBound));
    }
    if (fixedSteps != null) {
      sampling.setFixedSchedule(
          FixedSchedule.newBuilder()
              .setSteps(fixedSteps)
              .setOrder(FixedSchedule.Order.ORDER_CONFIDENCE));
    }
    if (cache != null) {
      sampling.setApproximateCache(cache.contract());
    }
    if (remask != null || maxRevisions != null) {
      Revision.Builder revision = sampling.getRevisionBuilder();
      if (remask != null) {
        revision.setRemaskThreshold(remask);
      }
      if (maxRevisions != null) {
        revision.setMaxRevisionsPerToken(maxRevisions);
      }
    }
  }
}
