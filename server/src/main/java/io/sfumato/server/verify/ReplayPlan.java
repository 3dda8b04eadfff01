package io.sfumato.server.verify;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.AcceptanceSpec.Order;
import io.sfumato.server.sampling.AcceptanceSpec.Spread;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.Template;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import tools.jackson.databind.JsonNode;

/**
 * The session that takes the course of a recorded decoding. Pure functions; thread-safe.
 *
 * <p>References do not stop at end-of-text, so neither do these sessions.
 */
final class ReplayPlan {

  private static final int[] NO_TOKENS = {};

  private ReplayPlan() {}

  /**
   * The session, or empty for a sampler, or a choice of its parameters, that the server does not
   * have.
   */
  static Optional<SessionSpec> of(DecodeTrace trace) {
    JsonNode parameters = trace.parameters();
    boolean greedy = parameters.path("temperature").asDouble(-1) == 0;
    boolean byConfidence =
        parameters.path("remasking").asString("low_confidence").equals("low_confidence");
    if (!greedy || !byConfidence) {
      return Optional.empty(); // the reference's own noise cannot be had
    }
    return switch (trace.algorithm()) {
      case "llada.generate" -> Optional.of(llada(trace));
      case "fast_dllm.generate",
          "fast_dllm.generate_with_prefix_cache",
          "fast_dllm.generate_with_dual_cache" ->
          Optional.of(fastDllm(trace));
      case "dllm.mdlm.sample" ->
          mdlm(
              trace, CanvasStart.undecided(positive(parameters, "max_new_tokens")), trace.prompt());
      case "dllm.mdlm.infill" -> mdlm(trace, infilled(trace), NO_TOKENS);
      default -> Optional.empty();
    };
  }

  private static SessionSpec llada(DecodeTrace trace) {
    JsonNode parameters = trace.parameters();
    int end = parameters.path("eos_token_id").asInt(-1);
    int endOfTurn = parameters.path("eot_token_id").asInt(-1);
    int[] suppressed =
        parameters.path("logits_eos_inf").asBoolean(false) ? new int[] {end} : NO_TOKENS;
    int[] unconfident =
        parameters.path("confidence_eos_eot_inf").asBoolean(false)
            ? new int[] {end, endOfTurn}
            : NO_TOKENS;
    float guidance = (float) parameters.path("cfg_scale").asDouble(0);
    int length = positive(parameters, "gen_length");
    int block = positive(parameters, "block_length");
    int steps = positive(parameters, "steps") / Math.max(1, length / block);
    AcceptanceSpec schedule =
        new AcceptanceSpec.FixedSchedule(steps, Order.CONFIDENCE, Spread.EVEN);
    return session(
        trace.prompt(),
        CanvasStart.undecided(length),
        block,
        sampling(schedule, steps, guidance, suppressed, unconfident));
  }

  private static SessionSpec fastDllm(DecodeTrace trace) {
    JsonNode parameters = trace.parameters();
    int length = positive(parameters, "gen_length");
    int block = positive(parameters, "block_length");
    int steps = positive(parameters, "steps") / Math.max(1, length / block);
    AcceptanceSpec acceptance =
        new AcceptanceSpec.FixedSchedule(steps, Order.CONFIDENCE, Spread.EVEN);
    if (parameters.path("threshold").isNumber()) {
      acceptance =
          new AcceptanceSpec.ConfidenceThreshold((float) parameters.path("threshold").asDouble());
      steps = block;
    }
    return session(
        trace.prompt(),
        CanvasStart.undecided(length),
        block,
        sampling(acceptance, steps, 0, NO_TOKENS, NO_TOKENS));
  }

  private static Optional<SessionSpec> mdlm(DecodeTrace trace, CanvasStart start, int[] prompt) {
    JsonNode parameters = trace.parameters();
    if (!parameters.path("scheduler").asString("linear").equals("linear")) {
      return Optional.empty();
    }
    int block = positive(parameters, "block_size");
    int blocks = Math.ceilDiv(start.length(), block);
    int steps = Math.ceilDiv(positive(parameters, "steps"), blocks);
    AcceptanceSpec schedule =
        new AcceptanceSpec.FixedSchedule(steps, Order.CONFIDENCE, Spread.LINEAR);
    return Optional.of(
        session(prompt, start, block, sampling(schedule, steps, 0, NO_TOKENS, NO_TOKENS)));
  }

  private static CanvasStart infilled(DecodeTrace trace) {
    int mask = trace.parameters().path("mask_id").asInt();
    int[] tokens = trace.prompt().clone();
    boolean[] pinned = new boolean[tokens.length];
    for (int position = 0; position < tokens.length; position++) {
      pinned[position] = tokens[position] != mask;
      if (!pinned[position]) {
        tokens[position] = CanvasSnapshot.NO_TOKEN;
      }
    }
    return new CanvasStart(tokens, pinned, List.of());
  }

  private static SamplingSpec sampling(
      AcceptanceSpec acceptance, int steps, float guidance, int[] suppressed, int[] unconfident) {
    return new SamplingSpec(
        0, 0, steps, 1, acceptance, RevisionSpec.NONE, guidance, suppressed, unconfident);
  }

  private static SessionSpec session(
      int[] prompt, CanvasStart start, int block, SamplingSpec sampling) {
    return new SessionSpec(
        prompt,
        start,
        Attending.FULL,
        Template.NONE,
        block,
        block,
        sampling,
        NO_TOKENS,
        NO_TOKENS,
        0,
        Long.MAX_VALUE,
        OptionalLong.empty(),
        "");
  }

  private static int positive(JsonNode parameters, String name) {
    int value = parameters.path(name).asInt(0);
    if (value < 1) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "golden.json: params." + name + ": " + parameters.path(name) + " (expected: >= 1)");
    }
    return value;
  }
}
