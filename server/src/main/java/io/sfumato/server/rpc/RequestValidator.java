package io.sfumato.server.rpc;

import static java.util.Objects.requireNonNull;

import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ModelCatalog;
import io.sfumato.server.model.ModelDefaults;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.Template;
import io.sfumato.server.text.StopMatcher;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.StopSpec;
import io.sfumato.v1.StreamSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * Turns a start message into a checked plan, before any work is done, or says all that is wrong
 * with it. Thread-safe.
 *
 * <p>Every method throws {@link ServingException}: MODEL_NOT_FOUND and the like from the catalog,
 * INVALID_FIELD, CONTEXT_TOO_LONG, NOT_BUILT, MODEL_CAPABILITY.
 */
final class RequestValidator {

  private static final int MOST_STOP_TEXTS = 16;
  private static final int LONGEST_STOP_TEXT = 256;
  private static final int MOST_STOP_TOKENS = 64;
  private static final int LONGEST_TAG = 128;
  private static final int LONGEST_SALT = 128;
  private static final int MOST_LABELS = 16;
  private static final int LONGEST_LABEL = 64;
  private static final int LONGEST_LABEL_VALUE = 256;
  private static final int[] NO_TOKENS = {};

  private final ModelCatalog models;
  private final SamplingReader sampling;

  /**
   * @param seeds where a seed comes from when a request has none
   */
  RequestValidator(ModelCatalog models, LongSupplier seeds) {
    this.models = requireNonNull(models, "models");
    sampling = new SamplingReader(seeds);
  }

  /**
   * @param deadlineNanos on the server's clock
   * @param hasControls whether the call has controls and acknowledgements
   */
  SessionPlan generate(GenerateStart start, long deadlineNanos, boolean hasControls) {
    ServedModel model = models.require(start.getModel());
    Problems problems = new Problems();
    checkNames(start.getClientTag(), start.getLabelsMap(), problems);
    Ranges.length(problems, "start.cache_salt", start.getCacheSalt(), 0, LONGEST_SALT);
    StreamSettings stream =
        StreamReader.read(start.getStream(), "start.stream", model, hasControls, problems);
    int[] prompt = NO_TOKENS;
    if (!start.getResumeCursor().isEmpty()) {
      problems.notBuilt("start.resume_cursor", start.getResumeCursor().size() + " bytes");
    } else {
      prompt =
          PromptReader.read(
              start.getPrompt(),
              "start.prompt",
              start.getAssistantPrefix(),
              "start.assistant_prefix",
              model,
              problems);
      if (problems.isEmpty() && prompt.length == 0) {
        problems.invalid("start.prompt", "0 tokens", "1 token or more");
      }
    }
    Optional<TemplateReader> template =
        start.getCanvas().hasTemplate()
            ? Optional.of(
                TemplateReader.read(
                    start.getCanvas().getTemplate(),
                    "start.canvas.template",
                    model,
                    !start.getStop().getIgnoreEndOfText(),
                    problems))
            : Optional.empty();
    int content = template.map(TemplateReader::length).orElse(0);
    int asked = start.getCanvas().getMaxLengthTokens();
    if (template.isPresent() && start.getCanvas().hasMaxLengthTokens() && asked != content) {
      problems.invalid(
          "start.canvas.max_length_tokens",
          asked,
          content + ", as long as the template, or absent");
    }
    CanvasLengths lengths =
        CanvasLengths.read(
            start.getCanvas(),
            "start.canvas",
            model.defaults(),
            content,
            prompt.length,
            model.engine().maxPositions(),
            problems);
    template
        .filter(read -> problems.isEmpty())
        .ifPresent(read -> read.checkBlocks(lengths.block()));
    Optional<TemplateReader> shape = template.filter(read -> problems.isEmpty());
    return plan(
        model,
        prompt,
        shape.map(TemplateReader::start).orElse(CanvasStart.undecided(lengths.canvas())),
        shape.map(TemplateReader::template).orElse(Template.NONE),
        lengths,
        start.getSampling(),
        start.getStop(),
        stream,
        deadlineNanos,
        start.getCacheSalt(),
        start.getClientTag(),
        problems);
  }

  /**
   * As {@link #generate}, for a call that returns one message: nothing but token ids may be asked
   * for in its stream spec.
   */
  SessionPlan generateText(GenerateStart start, long deadlineNanos) {
    StreamSpec bare =
        StreamSpec.newBuilder().setIncludeTokenIds(start.getStream().getIncludeTokenIds()).build();
    if (!start.getStream().equals(bare)) {
      throw ServingException.invalidField(
          "start.stream",
          "set",
          "absent, or include_token_ids alone, in a call that returns one message");
    }
    return generate(start, deadlineNanos, false);
  }

  /**
   * @param deadlineNanos on the server's clock
   */
  SessionPlan refine(RefineStart start, long deadlineNanos) {
    ServedModel model = models.require(start.getModel());
    Problems problems = new Problems();
    checkNames(start.getClientTag(), start.getLabelsMap(), problems);
    Ranges.length(problems, "start.cache_salt", start.getCacheSalt(), 0, LONGEST_SALT);
    StreamSettings stream =
        StreamReader.read(start.getStream(), "start.stream", model, true, problems);
    int[] prompt = NO_TOKENS;
    if (start.hasInstruction()) {
      prompt =
          PromptReader.read(start.getInstruction(), "start.instruction", "", "", model, problems);
    }
    if (start.getCanvas().hasTemplate()) {
      problems.invalid("start.canvas.template", "set", "absent, the segments are the shape");
    }
    Draft draft = Draft.read(start.getSegmentsList(), "start.segments", model, problems);
    if (problems.isEmpty() && draft.length() == 0) {
      problems.invalid("start.segments", "0 tokens", "1 token or more");
    }
    CanvasLengths lengths =
        CanvasLengths.read(
            start.getCanvas(),
            "start.canvas",
            model.defaults(),
            draft.length(),
            prompt.length,
            model.engine().maxPositions(),
            problems);
    draft.checkNoise(lengths.canvas(), lengths.block());
    if (problems.isEmpty() && !draft.isEditable(lengths.canvas())) {
      problems.invalid("start.segments", "all locked", "a blank or editable one");
    }
    problems.throwIfAny();
    return plan(
        model,
        prompt,
        draft.start(lengths.canvas()),
        Template.NONE,
        lengths,
        start.getSampling(),
        start.getStop(),
        stream,
        deadlineNanos,
        start.getCacheSalt(),
        start.getClientTag(),
        problems);
  }

  private SessionPlan plan(
      ServedModel model,
      int[] prompt,
      CanvasStart canvas,
      Template template,
      CanvasLengths lengths,
      io.sfumato.v1.SamplingSpec samplingSpec,
      StopSpec stop,
      StreamSettings stream,
      long deadlineNanos,
      String cacheSalt,
      String tag,
      Problems problems) {
    ModelDefaults defaults = model.defaults();
    SamplingSpec effective =
        sampling.read(
            samplingSpec,
            "start.sampling",
            defaults,
            lengths.block(),
            stop.getIgnoreEndOfText(),
            problems);
    CacheMode cache = SamplingReader.cache(samplingSpec, "start.sampling", model, problems);
    StopMatcher stops = stopTexts(stop, model, problems);
    int[] stopTokens = stopTokens(stop, model, problems);
    OptionalLong softDeadline =
        stop.hasSoftDeadline()
            ? OptionalLong.of(
                Ranges.softDeadline(problems, "start.stop.soft_deadline", stop.getSoftDeadline()))
            : OptionalLong.empty();
    problems.throwIfAny();
    SessionSpec spec =
        new SessionSpec(
            prompt,
            canvas,
            attending(defaults, lengths, model.engine().shiftedLogits()),
            cache,
            template,
            lengths.block(),
            lengths.window(),
            effective,
            stop.getIgnoreEndOfText() ? NO_TOKENS : defaults.endOfTextTokens(),
            stopTokens,
            stream.alternatives(),
            cacheSalt,
            deadlineNanos,
            softDeadline,
            tag);
    return new SessionPlan(model, spec, stops, stream);
  }

  private static Attending attending(
      ModelDefaults defaults, CanvasLengths lengths, boolean shiftedLogits) {
    if (defaults.encodesContext()) {
      return Attending.CAUSAL;
    }
    return new Attending(defaults.blockCausal() ? lengths.block() : 0, 0, shiftedLogits);
  }

  private static StopMatcher stopTexts(StopSpec stop, ServedModel model, Problems problems) {
    List<String> texts = stop.getStopTextsList();
    String path = "start.stop.stop_texts";
    Ranges.count(problems, path, texts.size(), "texts", 0, MOST_STOP_TEXTS);
    for (int index = 0; index < texts.size() && index < MOST_STOP_TEXTS; index++) {
      Ranges.length(problems, path + "[" + index + "]", texts.get(index), 1, LONGEST_STOP_TEXT);
    }
    if (!texts.isEmpty()) {
      PromptReader.codec(path, model, problems);
    }
    return new StopMatcher(problems.isEmpty() ? texts : List.of());
  }

  private static int[] stopTokens(StopSpec stop, ServedModel model, Problems problems) {
    int[] tokens = stop.getStopTokenIdsList().stream().mapToInt(Integer::intValue).toArray();
    Ranges.count(
        problems, "start.stop.stop_token_ids", tokens.length, "tokens", 0, MOST_STOP_TOKENS);
    Ranges.tokens(problems, "start.stop.stop_token_ids", tokens, model.engine().vocabulary());
    return tokens;
  }

  private static void checkNames(String tag, Map<String, String> labels, Problems problems) {
    Ranges.length(problems, "start.client_tag", tag, 0, LONGEST_TAG);
    Ranges.count(problems, "start.labels", labels.size(), "labels", 0, MOST_LABELS);
    for (Map.Entry<String, String> label : labels.entrySet()) {
      Ranges.length(problems, "start.labels.key", label.getKey(), 1, LONGEST_LABEL);
      Ranges.length(problems, "start.labels.value", label.getValue(), 0, LONGEST_LABEL_VALUE);
    }
  }
}
