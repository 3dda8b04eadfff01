package io.sfumato.server.verify;

import static io.sfumato.server.verify.ReplaySpecs.MOST_STEPS;
import static io.sfumato.server.verify.ReplaySpecs.sampling;
import static io.sfumato.server.verify.ReplaySpecs.session;

import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.AcceptanceSpec.Order;
import io.sfumato.server.sampling.AcceptanceSpec.Spread;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.session.Attending;
import io.sfumato.server.verify.Replay.Stop;
import java.util.Optional;

/**
 * The session that takes the course of a recorded decoding, for models whose positions attend in
 * blocks. Pure functions; thread-safe.
 */
final class BlockReplayPlan {

  private BlockReplayPlan() {}

  /** Of SDAR's generate.py. */
  static Optional<Replay> sdar(DecodeTrace trace, TraceParameters parameters) {
    int block = parameters.positive("block_length");
    int steps = parameters.positive("denoising_steps");
    // With one token left in the distribution, every confidence is 1.
    boolean alwaysSure = !parameters.isGreedy() && parameters.integer("top_k") == 1;
    float threshold = alwaysSure ? 0 : parameters.number("confidence_threshold");
    Optional<SamplingSpec> sampling =
        switch (parameters.text("remasking_strategy", "")) {
          case "low_confidence_static" -> Optional.of(quota(block, steps, Order.CONFIDENCE));
          case "sequential" -> Optional.of(quota(block, steps, Order.LEFTMOST));
          case "low_confidence_dynamic" -> atLeast(block, steps, threshold);
          default -> Optional.empty();
        };
    boolean dynamic = parameters.text("remasking_strategy", "").endsWith("dynamic");
    if (!parameters.isGreedy() && !(alwaysSure && dynamic)) {
      return Optional.empty();
    }
    return sampling.map(each ->
        wholeBlocks(trace, block, each)
            .resultFrom(0)
            .stopping(parameters.tokens("stopping_criteria_idx"), Stop.WITH_BLOCK));
  }

  /** Of LLaDA2.0's generate: the steps are fewer where each has to accept more. */
  static Optional<Replay> llada2(DecodeTrace trace, TraceParameters parameters) {
    int block = parameters.positive("block_length");
    int most = parameters.positive("gen_length") / parameters.positive("minimal_topk");
    int steps = Math.max(1, Math.min(parameters.positive("steps"), most));
    return atLeast(block, steps, parameters.number("threshold"))
        .map(each ->
            wholeBlocks(trace, block, each)
                .stopping(
                    parameters.tokens("eos_id"),
                    parameters.is("eos_early_stop") ? Stop.WHEN_DECIDED : Stop.WITH_BLOCK));
  }

  /** Of LLaDA2.1's sampler. */
  static Optional<Replay> llada21(DecodeTrace trace, TraceParameters parameters) {
    AcceptanceSpec edit =
        new AcceptanceSpec.JointEdit(
            parameters.number("threshold"),
            parameters.number("editing_threshold"),
            parameters.integer("max_post_steps"));
    return Optional.of(
        wholeBlocks(
            trace,
            parameters.positive("block_length"),
            sampling(edit, MOST_STEPS, parameters.positive("num_to_transfer"))));
  }

  /** Of dllm's BD3LMSampler: blocks begin where the prompt, padded on the left, ends. */
  static Optional<Replay> bd3lm(DecodeTrace trace, TraceParameters parameters) {
    if (!parameters.text("scheduler", "linear").equals("linear")) {
      return Optional.empty();
    }
    int block = parameters.positive("block_size");
    int length = parameters.positive("max_new_tokens");
    int steps =
        parameters.has("steps_per_block")
            ? parameters.positive("steps_per_block")
            : Math.ceilDiv(parameters.positive("steps"), Math.ceilDiv(length, block));
    int padding = Math.floorMod(-trace.prompt().length, block);
    Attending attending = new Attending(block, padding, parameters.is("right_shift_logits"));
    SamplingSpec sampling =
        sampling(
            new AcceptanceSpec.FixedSchedule(steps, Order.CONFIDENCE, Spread.LINEAR),
            steps,
            1,
            parameters.number("cfg_scale"),
            parameters.tokens("suppress_tokens"),
            parameters.tokens("begin_suppress_tokens"));
    return Optional.of(
        Replay.of(
                session(trace.prompt(), CanvasStart.undecided(length), attending, block, sampling))
            .padded(padding)
            .stopping(parameters.tokens("eos_token_id"), Stop.WITH_BLOCK));
  }

  /**
   * Of Fast-dLLM v2's generate: what finishes a block also decides the first token of the next one;
   * of the last block there is a token but no canvas, and of a prompt of whole blocks there is no
   * canvas before that token.
   */
  static Optional<Replay> fastDllmV2(DecodeTrace trace, TraceParameters parameters) {
    int block = parameters.positive("block_length");
    int prompt = trace.prompt().length;
    int length = trace.canvases()[trace.canvases().length - 1].length + 1 - prompt;
    SamplingSpec sampling =
        sampling(new AcceptanceSpec.SeededThreshold(parameters.number("threshold")), MOST_STEPS, 1);
    return Optional.of(
        Replay.of(
                session(
                    trace.prompt(),
                    CanvasStart.undecided(length),
                    new Attending(block, 0, true),
                    parameters.positive("small_block_size"),
                    sampling))
            .resultFrom(0)
            .stopping(parameters.tokens("stop_token"), Stop.WHEN_DECIDED)
            .unrecorded(prompt % block == 0 ? 1 : 0, 1));
  }

  /**
   * Of Nemotron-Labs-Diffusion's generate: after the token that the context predicts, one a step or
   * all that pass the threshold and the surest one.
   */
  static Optional<Replay> nemotron(DecodeTrace trace, TraceParameters parameters) {
    if (!parameters.is("causal_context")) {
      return Optional.empty();
    }
    int block = parameters.positive("block_length");
    AcceptanceSpec acceptance =
        parameters.has("threshold")
            ? new AcceptanceSpec.ConfidenceThreshold(parameters.number("threshold"))
            : new AcceptanceSpec.FixedSchedule(block, Order.CONFIDENCE, Spread.EVEN);
    return Optional.of(
        Replay.of(
                session(
                    trace.prompt(),
                    CanvasStart.undecided(parameters.positive("max_new_tokens")),
                    Attending.CAUSAL,
                    block,
                    sampling(acceptance, MOST_STEPS, 1)))
            .stopping(parameters.tokens("eos_token_id"), Stop.WHEN_REACHED));
  }

  /** A canvas up to the end of a block, as long as the record. */
  private static Replay wholeBlocks(DecodeTrace trace, int block, SamplingSpec sampling) {
    CanvasStart start = CanvasStart.undecided(trace.canvases()[0].length - trace.prompt().length);
    return Replay.of(
        session(trace.prompt(), start, new Attending(block, 0, false), block, sampling));
  }

  /**
   * A block's share of each step, also where only its end is left to decide: at least so many, of a
   * schedule that wants no more than one.
   */
  private static SamplingSpec quota(int block, int steps, Order order) {
    boolean even = block % steps == 0;
    AcceptanceSpec schedule =
        new AcceptanceSpec.FixedSchedule(even ? block : steps, order, Spread.EVEN);
    return sampling(schedule, block, even ? block / steps : 1);
  }

  /** What passes the threshold, if that is at least a block's share of a step. */
  private static Optional<SamplingSpec> atLeast(int block, int steps, float threshold) {
    return block % steps != 0
        ? Optional.empty()
        : Optional.of(
            sampling(new AcceptanceSpec.ConfidenceThreshold(threshold), block, block / steps));
  }
}
