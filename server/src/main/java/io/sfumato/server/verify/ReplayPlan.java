package io.sfumato.server.verify;

import static io.sfumato.server.verify.ReplaySpecs.NO_TOKENS;
import static io.sfumato.server.verify.ReplaySpecs.sampling;
import static io.sfumato.server.verify.ReplaySpecs.session;

import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.AcceptanceSpec.Order;
import io.sfumato.server.sampling.AcceptanceSpec.Spread;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.CacheMode;
import java.util.Optional;

/**
 * The session that takes the course of a recorded decoding, for models whose positions all see each
 * other; those of the others are {@link BlockReplayPlan}'s. Pure functions; thread-safe.
 */
final class ReplayPlan {

  private static final Attending SHIFTED = new Attending(0, 0, true);

  private ReplayPlan() {}

  /**
   * The session, or empty for a sampler, or a choice of its parameters, that the server does not
   * have.
   */
  static Optional<Replay> of(DecodeTrace trace) {
    TraceParameters parameters = new TraceParameters(trace.parameters());
    if (trace.algorithm().equals("sdar.block_diffusion_generate")) {
      return BlockReplayPlan.sdar(trace, parameters);
    }
    if (trace.algorithm().equals("diffusion_gemma.generate.deterministic")) {
      return UniformRecord.replay(trace, parameters);
    }
    boolean byConfidence = parameters.text("remasking", "low_confidence").equals("low_confidence");
    if (!parameters.isGreedy() || !byConfidence) {
      return Optional.empty(); // the reference's own noise cannot be had
    }
    return switch (trace.algorithm()) {
      case "llada.generate" -> Optional.of(llada(trace, parameters));
      case "fast_dllm.generate",
          "fast_dllm.generate_with_prefix_cache",
          "fast_dllm.generate_with_dual_cache" ->
          Optional.of(fastDllm(trace, parameters));
      case "fast_dllm.dream.block_prefix_cache", "fast_dllm.dream.block_dual_cache" ->
          dreamBlocks(trace, parameters);
      case "fast_dllm.dream.confidence_threshold" -> Optional.of(dreamThreshold(trace, parameters));
      case "dream.diffusion_generate" -> dream(trace, parameters);
      case "dllm.mdlm.sample" -> {
        CanvasStart start = CanvasStart.undecided(parameters.positive("max_new_tokens"));
        yield mdlm(start, trace.prompt(), parameters);
      }
      case "dllm.mdlm.infill" -> {
        int mask = parameters.integer("mask_id");
        yield mdlm(ReplaySpecs.infilled(trace.prompt(), mask, 0), NO_TOKENS, parameters);
      }
      case "dllm.bd3lm.sample" -> BlockReplayPlan.bd3lm(trace, parameters);
      case "llada2.generate" -> BlockReplayPlan.llada2(trace, parameters);
      case "llada21.generate" -> BlockReplayPlan.llada21(trace, parameters);
      case "fast_dllm_v2.generate" -> BlockReplayPlan.fastDllmV2(trace, parameters);
      case "nemotron_labs_diffusion.generate" -> BlockReplayPlan.nemotron(trace, parameters);
      default -> Optional.empty();
    };
  }

  private static Replay llada(DecodeTrace trace, TraceParameters parameters) {
    int end = parameters.integer("eos_token_id");
    int endOfTurn = parameters.integer("eot_token_id");
    int[] suppressed = parameters.is("logits_eos_inf") ? new int[] {end} : NO_TOKENS;
    int[] unconfident =
        parameters.is("confidence_eos_eot_inf") ? new int[] {end, endOfTurn} : NO_TOKENS;
    int length = parameters.positive("gen_length");
    int block = parameters.positive("block_length");
    int steps = parameters.positive("steps") / Math.max(1, length / block);
    AcceptanceSpec schedule =
        new AcceptanceSpec.FixedSchedule(steps, Order.CONFIDENCE, Spread.EVEN);
    return Replay.of(
        session(
            trace.prompt(),
            CanvasStart.undecided(length),
            Attending.FULL,
            block,
            sampling(schedule, steps, 1, parameters.number("cfg_scale"), suppressed, unconfident)));
  }

  private static Replay fastDllm(DecodeTrace trace, TraceParameters parameters) {
    int length = parameters.positive("gen_length");
    int block = parameters.positive("block_length");
    int steps = parameters.positive("steps") / Math.max(1, length / block);
    AcceptanceSpec acceptance =
        new AcceptanceSpec.FixedSchedule(steps, Order.CONFIDENCE, Spread.EVEN);
    if (parameters.has("threshold")) {
      acceptance = new AcceptanceSpec.ConfidenceThreshold(parameters.number("threshold"));
      steps = block;
    }
    return Replay.of(
        session(
            trace.prompt(),
            CanvasStart.undecided(length),
            Attending.FULL,
            cache(trace),
            block,
            sampling(acceptance, steps, 1)));
  }

  private static CacheMode cache(DecodeTrace trace) {
    if (trace.algorithm().endsWith("prefix_cache")) {
      return CacheMode.PREFIX;
    }
    return trace.algorithm().endsWith("dual_cache") ? CacheMode.DUAL : CacheMode.NONE;
  }

  /** A block's first token is decided alone, by the step that computes the whole sequence. */
  private static Optional<Replay> dreamBlocks(DecodeTrace trace, TraceParameters parameters) {
    if (!parameters.text("alg", "").equals("confidence_threshold")) {
      return Optional.empty();
    }
    int length = parameters.positive("max_new_tokens");
    int block = parameters.positive("block_length");
    AcceptanceSpec acceptance = new AcceptanceSpec.SeededThreshold(parameters.number("threshold"));
    return Optional.of(
        Replay.of(
            session(
                trace.prompt(),
                CanvasStart.undecided(length),
                SHIFTED,
                cache(trace),
                block,
                sampling(acceptance, ReplaySpecs.MOST_STEPS, 1))));
  }

  private static Replay dreamThreshold(DecodeTrace trace, TraceParameters parameters) {
    int length = parameters.positive("max_new_tokens");
    AcceptanceSpec acceptance =
        new AcceptanceSpec.PacedThreshold(
            parameters.number("threshold"), parameters.positive("steps"));
    return Replay.of(
        session(
            trace.prompt(),
            CanvasStart.undecided(length),
            SHIFTED,
            length,
            sampling(acceptance, length, 1)));
  }

  /** Masks in the prompt are decided too, so the whole sequence is the canvas. */
  private static Optional<Replay> dream(DecodeTrace trace, TraceParameters parameters) {
    Order order =
        switch (parameters.text("alg", "")) {
          case "maskgit_plus" -> Order.CONFIDENCE;
          case "topk_margin" -> Order.MARGIN;
          case "entropy" -> Order.ENTROPY;
          default -> null;
        };
    boolean filtered = parameters.has("top_p") || parameters.has("top_k");
    if (order == null || filtered || parameters.number("alg_temp") != 0) {
      return Optional.empty();
    }
    int steps = parameters.positive("steps");
    int more = parameters.positive("max_new_tokens");
    CanvasStart start = ReplaySpecs.infilled(trace.prompt(), parameters.integer("mask_id"), more);
    AcceptanceSpec schedule = new AcceptanceSpec.FixedSchedule(steps, order, Spread.TRUNCATED);
    return Optional.of(
        Replay.of(session(NO_TOKENS, start, SHIFTED, start.length(), sampling(schedule, steps, 1)))
            .resultFrom(trace.prompt().length));
  }

  private static Optional<Replay> mdlm(
      CanvasStart start, int[] prompt, TraceParameters parameters) {
    if (!parameters.text("scheduler", "linear").equals("linear")) {
      return Optional.empty();
    }
    int block = parameters.positive("block_size");
    int blocks = Math.ceilDiv(start.length(), block);
    int steps = Math.ceilDiv(parameters.positive("steps"), blocks);
    AcceptanceSpec schedule =
        new AcceptanceSpec.FixedSchedule(steps, Order.CONFIDENCE, Spread.LINEAR);
    return Optional.of(
        Replay.of(
            session(
                prompt,
                start,
                parameters.is("right_shift_logits") ? SHIFTED : Attending.FULL,
                block,
                sampling(
                    schedule,
                    steps,
                    1,
                    parameters.number("cfg_scale"),
                    parameters.tokens("suppress_tokens"),
                    parameters.tokens("begin_suppress_tokens")))));
  }
}
