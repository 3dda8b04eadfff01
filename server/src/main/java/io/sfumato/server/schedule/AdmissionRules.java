package io.sfumato.server.schedule;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.ModelFacts;
import io.sfumato.server.session.SessionSpec;
import java.util.List;
import java.util.Map;

/**
 * What a session may ask of an engine: every rule is checked before anything is started, so that a
 * step never fails for a reason that was known before.
 *
 * <p>Immutable and thread-safe.
 */
final class AdmissionRules {

  /** Most tokens of one suppression list; the engine's 16 less the mask. */
  static final int MAX_TOKEN_LIST = 15;

  /**
   * Most tokens of a step that only writes keys and values, so that a long prompt does not keep the
   * other sessions waiting.
   */
  private static final int MAX_CHUNK_TOKENS = 512;

  private final EngineInfo info;
  private final EngineLimits limits;

  /**
   * @throws IllegalArgumentException for an engine that sessions cannot use
   */
  AdmissionRules(EngineInfo info, EngineLimits limits) {
    boolean needsPages = info.attention() == AttentionKind.BLOCK_CAUSAL || encodesContext(info);
    if (needsPages && limits.pages() == 0) {
      throw new IllegalArgumentException("pages: 0 (expected: >= 1 for " + info.attention() + ")");
    }
    int canvas = info.blockLength();
    int most = Math.min(limits.batchTokens(), limits.candidates());
    if (encodesContext(info) && (canvas < 1 || canvas > most)) {
      throw new IllegalArgumentException(
          "batch_tokens: "
              + most
              + " with candidates for each (expected: "
              + canvas
              + " or more, the model's canvas)");
    }
    this.info = info;
    this.limits = limits;
  }

  private static boolean encodesContext(EngineInfo info) {
    return info.attention() == AttentionKind.ENCODER_CANVAS;
  }

  private static boolean isUniform(EngineInfo info) {
    return encodesContext(info) && info.maskTokenId() < 0;
  }

  /**
   * What sessions are to know of the model.
   *
   * @param maskToken -1 for the model's own
   * @throws IllegalArgumentException when there is none and the model's noise is a mask
   */
  ModelFacts facts(int maskToken) {
    int mask = maskToken >= 0 ? maskToken : info.maskTokenId();
    if (isUniform(info)) {
      mask = CanvasSnapshot.NO_TOKEN;
    } else if (mask < 0 || mask >= info.vocabulary()) {
      throw new IllegalArgumentException(
          "mask_token_id: " + mask + " (expected: 0.." + (info.vocabulary() - 1) + ")");
    }
    int chunkTokens = Math.min(MAX_CHUNK_TOKENS, limits.batchTokens());
    return new ModelFacts(mask, info.vocabulary(), info.maxPositions(), chunkTokens);
  }

  /**
   * @throws ServingException CONTEXT_TOO_LONG, MODEL_CAPABILITY or INVALID_FIELD naming what is
   *     wrong
   */
  void check(SessionSpec spec) {
    checkCanvas(spec);
    if (isUniform(info)) {
      UniformRules.check(spec, info.blockLength());
    } else {
      require(!spec.isUniform(), "uniform", "set", "absent, the model's noise is a mask");
      if (encodesContext(info)) {
        EncoderRules.check(spec, info.blockLength());
      } else {
        checkAttending(spec.attending());
      }
    }
    checkCache(spec);
    checkSize(spec);
    checkTokens("prompt", spec.promptTokens(), false);
    checkTokens("canvas", spec.start().tokens(), true);
    checkTokens("end_of_text_tokens", spec.endOfTextTokens(), false);
    checkTokens("stop_token_ids", spec.stopTokens(), false);
    checkSampling(spec.sampling());
    checkAcceptance(spec.sampling().acceptance());
    checkRevision(spec.sampling().revision());
  }

  private void checkCanvas(SessionSpec spec) {
    CanvasStart start = spec.start();
    require(start.length() >= 1, "max_length_tokens", start.length(), ">= 1");
    require(spec.blockLength() >= 1, "block_length_tokens", spec.blockLength(), ">= 1");
    require(spec.windowLength() >= 1, "window_length_tokens", spec.windowLength(), ">= 1");
    for (int position = 0; position < start.length(); position++) {
      boolean pinnedNothing =
          start.pinned()[position] && start.tokens()[position] == CanvasSnapshot.NO_TOKEN;
      require(!pinnedNothing, "canvas[" + position + "]", "pinned without a token", "a token");
    }
    int end = 0;
    for (CanvasStart.NoisySpan span : start.reopened()) {
      require(span.length() >= 1, "segments.length", span.length(), ">= 1");
      require(span.start() >= end, "segments.start", span.start(), ">= " + end);
      require(
          span.length() <= start.length() - span.start(),
          "segments.length",
          span.length(),
          "<= " + (start.length() - span.start()));
      require(span.noise() >= 0 && span.noise() <= 1, "segments.noise", span.noise(), "0..1");
      end = span.start() + span.length();
    }
  }

  private void checkSize(SessionSpec spec) {
    int items = spec.sampling().guidanceScale() == 0 ? 1 : 2;
    long length = (long) spec.promptTokens().length + spec.start().length();
    requireFits("prompt and canvas", length, info.maxPositions(), "positions");
    if (!spec.attending().encodesContext()) {
      checkStep(spec, length, items);
    }
    checkCandidates(spec);
    require(
        spec.alternatives() >= 0 && spec.alternatives() <= limits.topCandidates(),
        "max_alternatives",
        spec.alternatives(),
        "0.." + limits.topCandidates());
    if (pages(spec) > limits.pages()) {
      requireFits(
          "prompt and canvas",
          length,
          (long) limits.pages() * limits.pageTokens(),
          "tokens in pages");
    }
  }

  private void checkCandidates(SessionSpec spec) {
    boolean one = spec.attending().encodesContext();
    requireFits(
        (one ? "block" : "canvas")
            + (spec.template().isEmpty() ? "" : " and tokens of all options"),
        (long) (one ? spec.blockLength() : spec.start().length()) + spec.template().probes(),
        limits.candidates(),
        "candidates per step");
  }

  private void checkStep(SessionSpec spec, long length, int items) {
    requireFits(
        (spec.keepsContext() ? "canvas and one block" : "prompt and canvas")
            + (items == 1 ? "" : ", twice for guidance"),
        items * mostTokens(spec, length),
        limits.batchTokens(),
        "tokens per step");
    if (items > limits.items()) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "guidance_scale: "
              + spec.sampling().guidanceScale()
              + " (expected: 0 with one item per step)");
    }
  }

  /** Tokens of the longest item about the canvas. */
  private static long mostTokens(SessionSpec spec, long length) {
    long canvasAndPromptTail = (long) spec.attending().blockLength() + spec.start().length();
    return spec.keepsContext() ? Math.min(length, canvasAndPromptTail) : length;
  }

  /** Key-value pages that the session holds while it runs. */
  int pages(SessionSpec spec) {
    return spec.usesPages() ? Math.ceilDiv(spec.sequenceLength(), limits.pageTokens()) : 0;
  }

  private void checkCache(SessionSpec spec) {
    if (spec.cache() == CacheMode.NONE) {
      return;
    }
    boolean possible = info.approximateCache() && spec.attending().isFull();
    if (!possible || spec.sampling().guidanceScale() != 0) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "approximate_cache: "
              + spec.cache()
              + " (expected: NONE "
              + (possible ? "with guidance_scale" : "with this model")
              + ")");
    }
  }

  private void checkAttending(Attending attending) {
    require(!attending.encodesContext(), "attending", attending, "of the canvas, too");
    int length = attending.blockLength();
    boolean full = info.attention() == AttentionKind.FULL;
    boolean causal = info.attention() == AttentionKind.BLOCK_CAUSAL;
    int least = causal ? 1 : 0;
    int most = full ? 0 : info.maxPositions();
    require(
        length >= least && length <= most, "attending.block_length", length, least + ".." + most);
    int offset = attending.blockOffset();
    int last = Math.max(0, length - 1);
    require(offset >= 0 && offset <= last, "attending.block_offset", offset, "0.." + last);
  }

  private void checkTokens(String name, int[] tokens, boolean mayBeEmpty) {
    for (int index = 0; index < tokens.length; index++) {
      int token = tokens[index];
      boolean valid =
          (token >= 0 && token < info.vocabulary())
              || (mayBeEmpty && token == CanvasSnapshot.NO_TOKEN);
      if (!valid) {
        throw ServingException.invalidField(
            name + "[" + index + "]", token, "0.." + (info.vocabulary() - 1));
      }
    }
  }

  private void checkSampling(SamplingSpec sampling) {
    checkTemperature(sampling.temperature().first());
    checkTemperature(sampling.temperature().last());
    require(
        sampling.maxStepsPerBlock() >= 1,
        "max_steps_per_block",
        sampling.maxStepsPerBlock(),
        ">= 1");
    require(
        sampling.minAcceptPerStep() >= 1,
        "min_accept_per_step",
        sampling.minAcceptPerStep(),
        ">= 1");
    float guidance = sampling.guidanceScale();
    require(guidance >= 0 && guidance <= 100, "guidance_scale", guidance, "0..100");
    checkTokenList("suppressed_token_ids", sampling.suppressedTokens());
    checkTokenList("unconfident_token_ids", sampling.unconfidentTokens());
  }

  private static void checkTemperature(float temperature) {
    require(
        temperature == 0 || (temperature >= TemperatureSchedule.LEAST && temperature <= 1e3f),
        "temperature",
        temperature,
        "0 or 0.001..1000");
  }

  private void checkTokenList(String name, int[] tokens) {
    require(
        tokens.length <= MAX_TOKEN_LIST, name, tokens.length + " tokens", "<= " + MAX_TOKEN_LIST);
    checkTokens(name, tokens, false);
  }

  private static void checkAcceptance(AcceptanceSpec acceptance) {
    switch (acceptance) {
      case AcceptanceSpec.FixedSchedule fixed ->
          require(fixed.stepsPerBlock() >= 1, "steps", fixed.stepsPerBlock(), ">= 1");
      case AcceptanceSpec.ConfidenceThreshold confidence ->
          requireShare("threshold", confidence.threshold());
      case AcceptanceSpec.SeededThreshold seeded -> requireShare("threshold", seeded.threshold());
      case AcceptanceSpec.PacedThreshold paced -> {
        requireShare("threshold", paced.threshold());
        require(paced.stepsPerBlock() >= 1, "steps", paced.stepsPerBlock(), ">= 1");
      }
      case AcceptanceSpec.JointEdit edit -> {
        requireShare("threshold", edit.threshold());
        requireShare("edit_threshold", edit.editThreshold());
        require(edit.postEditSteps() >= 0, "post_edit_steps", edit.postEditSteps(), ">= 0");
      }
      case AcceptanceSpec.EntropyBound entropy ->
          require(
              entropy.bound() >= 0 && entropy.bound() < Float.POSITIVE_INFINITY,
              "bound",
              entropy.bound(),
              ">= 0");
    }
  }

  private static void requireShare(String name, float share) {
    require(share >= 0 && share <= 1, name, share, "0..1");
  }

  private static void checkRevision(RevisionSpec revision) {
    requireShare("remask_threshold", revision.remaskThreshold());
    int most = revision.maxRevisionsPerToken();
    require(most >= 0 && most <= 255, "max_revisions_per_token", most, "0..255");
  }

  private static void requireFits(String name, long value, long limit, String unit) {
    if (value > limit) {
      throw new ServingException(
          ErrorReason.CONTEXT_TOO_LONG,
          name + ": " + value + " (expected: <= " + limit + " " + unit + ")",
          List.of(),
          Map.of("limit", Long.toString(limit)),
          0,
          null);
    }
  }

  private static void require(boolean holds, String path, Object value, String expected) {
    if (!holds) {
      throw ServingException.invalidField(path, value, expected);
    }
  }
}
