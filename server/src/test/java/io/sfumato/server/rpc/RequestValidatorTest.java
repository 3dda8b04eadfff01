package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.TextFormat;
import com.google.protobuf.TextFormat.ParseException;
import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineInfo;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.FieldViolation;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ModelDefaults;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.RefineStart;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Every rule of a start message, with the field it names, and what stands in for what is left out.
 */
class RequestValidatorTest {

  static final long SEED = 4711;

  private final RequestValidator validator = validator();

  /** A validator of the fixture's models that opens no session. */
  static RequestValidator validator() {
    return validator(RpcFixture.info(), RpcFixture.defaults());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          prompt {}                                                 | start.prompt                  | prompt: absent (expected: text, chat or token_ids)
          prompt { text: "" }                                       | start.prompt                  | prompt: 0 tokens (expected: 1 token or more)
          prompt { chat {} }                                        | start.prompt.chat.messages    | messages: 0 messages (expected: 1..1024)
          prompt { chat { messages { content: "a" } } }             | start.prompt.chat.messages[0].role | role: 0 characters (expected: 1..64 characters)
          prompt { chat { messages { role: "nobody" } } }           | start.prompt.chat             | chat: role: nobody (expected: a role of the chat template)
          prompt { token_ids { ids: 1 ids: 259 } }                  | start.prompt.token_ids.ids[1] | ids[1]: 259 (expected: 0..258)
          prompt { token_ids { ids: -1 } }                          | start.prompt.token_ids.ids[0] | ids[0]: -1 (expected: 0..258)
          prompt { token_ids { ids: 1 } } assistant_prefix: "So"    | start.assistant_prefix        | assistant_prefix: "So" (expected: empty with start.prompt.token_ids)
          canvas { max_length_tokens: 0 }                           | start.canvas.max_length_tokens | max_length_tokens: 0 (expected: 1..512)
          canvas { max_length_tokens: -5 }                          | start.canvas.max_length_tokens | max_length_tokens: -5 (expected: 1..512)
          canvas { max_length_tokens: 513 }                         | start.canvas.max_length_tokens | max_length_tokens: 513 (expected: 1..512)
          canvas { block_length_tokens: 0 }                         | start.canvas.block_length_tokens | block_length_tokens: 0 (expected: 1..64)
          canvas { max_length_tokens: 8 block_length_tokens: 9 }    | start.canvas.block_length_tokens | block_length_tokens: 9 (expected: 1..8)
          canvas { window_length_tokens: 0 }                        | start.canvas.window_length_tokens | window_length_tokens: 0 (expected: 1..32)
          canvas { window_length_tokens: 33 }                       | start.canvas.window_length_tokens | window_length_tokens: 33 (expected: 1..32)
          sampling { max_steps_per_block: 0 }                       | start.sampling.max_steps_per_block | max_steps_per_block: 0 (expected: 1..4096)
          sampling { max_steps_per_block: 4097 }                    | start.sampling.max_steps_per_block | max_steps_per_block: 4097 (expected: 1..4096)
          sampling { min_accept_per_step: 0 }                       | start.sampling.min_accept_per_step | min_accept_per_step: 0 (expected: 1..32)
          sampling { min_accept_per_step: 33 }                      | start.sampling.min_accept_per_step | min_accept_per_step: 33 (expected: 1..32)
          sampling { temperature: -0.5 }                            | start.sampling.temperature    | temperature: -0.5 (expected: 0..2)
          sampling { temperature: 2.5 }                             | start.sampling.temperature    | temperature: 2.5 (expected: 0..2)
          sampling { temperature: nan }                             | start.sampling.temperature    | temperature: NaN (expected: 0..2)
          sampling { temperature: 0.0001 }                          | start.sampling.temperature    | temperature: 1.0E-4 (expected: 0, or 0.001..2)
          sampling { temperature_schedule { first: 1 } }            | start.sampling.temperature_schedule.last | last: absent (expected: 0, or 0.001..2)
          sampling { temperature_schedule { first: 3 last: 0 } }    | start.sampling.temperature_schedule.first | first: 3 (expected: 0..2)
          sampling { temperature_schedule { first: 1 last: 0.0001 } } | start.sampling.temperature_schedule.last | last: 1.0E-4 (expected: 0, or 0.001..2)
          sampling { temperature: 1 temperature_schedule { first: 1 last: 0 } } | start.sampling.temperature_schedule | temperature_schedule: set (expected: absent with temperature)
          sampling { top_p: 0 }                                     | start.sampling.top_p          | top_p: 0 (expected: above 0, up to 1)
          sampling { top_k: -1 }                                    | start.sampling.top_k          | top_k: -1 (expected: 0..1024)
          sampling { repetition_penalty: 3 }                        | start.sampling.repetition_penalty | repetition_penalty: 3 (expected: 0.5..2)
          sampling { guidance_scale: 21 }                           | start.sampling.guidance_scale | guidance_scale: 21 (expected: 0..20)
          sampling { approximate_cache: 9 }                         | start.sampling.approximate_cache | approximate_cache: 9 (expected: a value of ApproximateCache)
          sampling { guidance_scale: inf }                          | start.sampling.guidance_scale | guidance_scale: Infinity (expected: 0..20)
          sampling { fixed_schedule { steps: 0 } }                  | start.sampling.fixed_schedule.steps | steps: 0 (expected: 1..16)
          sampling { max_steps_per_block: 4 fixed_schedule { steps: 5 } } | start.sampling.fixed_schedule.steps | steps: 5 (expected: 1..4)
          sampling { fixed_schedule { steps: 5000 } }               | start.sampling.fixed_schedule.steps | steps: 5000 (expected: 1..4096)
          sampling { confidence_threshold { threshold: 0 } }        | start.sampling.confidence_threshold.threshold | threshold: 0 (expected: above 0, up to 1)
          sampling { confidence_threshold { threshold: 1.5 } }      | start.sampling.confidence_threshold.threshold | threshold: 1.5 (expected: above 0, up to 1)
          sampling { entropy_bound { bound: -1 } }                  | start.sampling.entropy_bound.bound | bound: -1 (expected: 0..100)
          sampling { revision { remask_threshold: 1.1 } }           | start.sampling.revision.remask_threshold | remask_threshold: 1.1 (expected: 0..1)
          sampling { revision { max_revisions_per_token: 256 } }    | start.sampling.revision.max_revisions_per_token | max_revisions_per_token: 256 (expected: 0..255)
          stop { stop_texts: "" }                                   | start.stop.stop_texts[0]      | stop_texts[0]: 0 characters (expected: 1..256 characters)
          stop { stop_token_ids: 259 }                              | start.stop.stop_token_ids[0]  | stop_token_ids[0]: 259 (expected: 0..258)
          stream { every_n_steps: 0 }                               | start.stream.every_n_steps    | every_n_steps: 0 (expected: 1..4096)
          stream { min_frame_interval { seconds: -1 } }             | start.stream.min_frame_interval | min_frame_interval: -1s (expected: 0s..60s)
          stream { min_frame_interval { seconds: 61 } }             | start.stream.min_frame_interval | min_frame_interval: 61s (expected: 0s..60s)
          stream { min_frame_interval { seconds: 1 nanos: -1 } }    | start.stream.min_frame_interval | min_frame_interval: 1 s + -1 ns (expected: a valid duration)
          stream { max_unacked_frames: 1025 }                       | start.stream.max_unacked_frames | max_unacked_frames: 1025 (expected: 0..1024)
          stream { keyframe_every_n_frames: -1 }                    | start.stream.keyframe_every_n_frames | keyframe_every_n_frames: -1 (expected: 0..4096)
          stream { max_alternatives: 6 }                            | start.stream.max_alternatives | max_alternatives: 6 (expected: 0..5)
          canvas { template {} }                                    | start.canvas.template.parts   | parts: 0 parts (expected: 1..1024)
          canvas { template { parts {} } }                          | start.canvas.template.parts[0] | parts[0]: absent (expected: fixed_text, free_slot or choice_slot)
          canvas { template { parts { fixed_text: "a" } } }         | start.canvas.template.parts   | parts: fixed text only (expected: a slot or more)
          canvas { template { parts { free_slot { name: "a" } } } } | start.canvas.template.parts[0].free_slot.length_tokens | length_tokens: 0 (expected: 1..512)
          canvas { template { parts { free_slot { length_tokens: 1 } } } } | start.canvas.template.parts[0].free_slot.name | name: 0 characters (expected: 1..64 characters)
          canvas { template { parts { free_slot { name: "a" length_tokens: 1 end_before: "ä" } } } } | start.canvas.template.parts[0].free_slot.end_before[0] | end_before[0]: U+00E4 (expected: U+0000..U+007F)
          canvas { template { parts { free_slot { name: "a" length_tokens: 1 } } parts { free_slot { name: "a" length_tokens: 1 } } } } | start.canvas.template.parts[1].free_slot.name | name: a (expected: a name that no other slot has)
          canvas { template { parts { choice_slot { name: "a" options: "x" } } } } | start.canvas.template.parts[0].choice_slot.options | options: 1 options (expected: 2..256)
          canvas { template { parts { choice_slot { name: "a" options: "x" options: "x" } } } } | start.canvas.template.parts[0].choice_slot.options[1] | options[1]: "x" (expected: a text that is not empty and none of the others)
          canvas { max_length_tokens: 9 template { parts { free_slot { name: "a" length_tokens: 8 } } } } | start.canvas.max_length_tokens | max_length_tokens: 9 (expected: 8, as long as the template, or absent)
          canvas { template { parts { free_slot { name: "a" length_tokens: 512 } } parts { fixed_text: "b" } } } | start.canvas.template | template: over 512 tokens (expected: at most 512 tokens)
          labels { key: "" value: "x" }                             | start.labels.key              | key: 0 characters (expected: 1..64 characters)
          """)
  void refusesWhatIsOutOfRange(String start, String path, String message) throws ParseException {
    refuses(generate(start), ErrorReason.INVALID_FIELD, path, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          resume_cursor: "abc"                                      | start.resume_cursor             | resume_cursor: 3 bytes (expected: absent, not built yet)
          sampling { top_p: 0.9 }                                   | start.sampling.top_p            | top_p: 0.9 (expected: absent, not built yet)
          sampling { top_k: 5 }                                     | start.sampling.top_k            | top_k: 5 (expected: absent, not built yet)
          sampling { approximate_cache: APPROXIMATE_CACHE_DUAL guidance_scale: 1 } | start.sampling.approximate_cache | approximate_cache: DUAL with guidance_scale (expected: absent, not built yet)
          sampling { repetition_penalty: 1.5 }                      | start.sampling.repetition_penalty | repetition_penalty: 1.5 (expected: absent, not built yet)
          sampling { logit_bias { key: 3 value: 1 } }               | start.sampling.logit_bias       | logit_bias: 1 entries (expected: absent, not built yet)
          """)
  void namesWhatIsNotBuilt(String start, String path, String message) throws ParseException {
    refuses(generate(start), ErrorReason.NOT_BUILT, path, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          prompt { text: "a" }                                          | start.prompt.text     | text: set (expected: token ids, the model has no tokenizer)
          prompt { chat { messages { role: "user" content: "a" } } }    | start.prompt.chat     | chat: set (expected: token ids, the model has no tokenizer)
          prompt { token_ids { ids: 1 } } stream { max_alternatives: 4 } | start.stream.max_alternatives | max_alternatives: 4 (expected: <= 3)
          prompt { token_ids { ids: 1 } } sampling { approximate_cache: APPROXIMATE_CACHE_PREFIX } | start.sampling.approximate_cache | approximate_cache: PREFIX (expected: NONE, the model has no approximate cache)
          prompt { token_ids { ids: 1 } } stop { stop_texts: "a" }      | start.stop.stop_texts | stop_texts: set (expected: token ids, the model has no tokenizer)
          """)
  void refusesWhatAModelWithoutTokenizerCannotDo(String start, String path, String message)
      throws ParseException {
    GenerateStart parsed =
        TextFormat.parse(start, GenerateStart.class).toBuilder().setModel("ids").build();
    refuses(parsed, ErrorReason.MODEL_CAPABILITY, path, message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          ``                                                        | start.segments               | segments: 0 segments (expected: 1..1024)
          segments { text: "" }                                     | start.segments               | segments: 0 tokens (expected: 1 token or more)
          segments {}                                               | start.segments[0]            | segments[0]: absent (expected: text, token_ids or blank_tokens)
          segments { text: "a" mode: MODE_LOCKED }                  | start.segments               | segments: all locked (expected: a blank or editable one)
          segments { blank_tokens: 0 }                              | start.segments[0].blank_tokens | blank_tokens: 0 (expected: 1..512)
          segments { blank_tokens: 2000000000 }                     | start.segments[0].blank_tokens | blank_tokens: 2000000000 (expected: 1..512)
          segments { blank_tokens: 1 mode: MODE_LOCKED }            | start.segments[0].blank_tokens | blank_tokens: 1 (expected: absent with MODE_LOCKED)
          segments { blank_tokens: 1 noise: 0.5 }                   | start.segments[0].noise      | noise: 0.5 (expected: absent with blank_tokens)
          segments { text: "a" noise: 1.5 }                         | start.segments[0].noise      | noise: 1.5 (expected: 0..1)
          segments { text: "a" noise: 0.5 mode: MODE_LOCKED }       | start.segments[0].noise      | noise: 0.5 (expected: absent with MODE_LOCKED)
          segments { text: "a" mode: 7 }                            | start.segments[0].mode       | mode: 7 (expected: a value of Segment.Mode)
          segments { token_ids { ids: 300 } }                       | start.segments[0].token_ids.ids[0] | ids[0]: 300 (expected: 0..258)
          segments { text: "abc" } canvas { max_length_tokens: 2 }  | start.canvas.max_length_tokens | max_length_tokens: 2 (expected: 3..512)
          segments { text: "abc" } canvas { template {} }           | start.canvas.template        | template: set (expected: absent, the segments are the shape)
          """)
  void refusesDrafts(String start, String path, String message) throws ParseException {
    RefineStart parsed = TextFormat.parse(start, RefineStart.class);
    check(
        refusal(() -> validator.refine(parsed, Long.MAX_VALUE)),
        ErrorReason.INVALID_FIELD,
        path,
        message);
  }

  @Test
  void namesTheTextThatATokenizerRefuses() throws ParseException {
    String message = "text: text: with U+0000 (expected: without)";
    ErrorReason reason = ErrorReason.MODEL_CAPABILITY;
    refuses(generate("prompt { text: 'a\\000' }"), reason, "start.prompt.text", message);
    RefineStart start =
        TextFormat.parse(
            "segments { blank_tokens: 1 } segments { text: '\\000' }", RefineStart.class);
    check(
        refusal(() -> validator.refine(start, Long.MAX_VALUE)),
        reason,
        "start.segments[1].text",
        message);
    GenerateStart chat = generate("prompt { chat { messages { role: 'user' content: '\\000' } } }");
    refuses(chat, reason, "start.prompt.chat", "chat: text: with U+0000 (expected: without)");
  }

  @Test
  void aModelWithAMaskHasNoStabilityToWaitFor() throws ParseException {
    refuses(
        generate("sampling { stability_stop { stable_steps: 1 } }"),
        ErrorReason.MODEL_CAPABILITY,
        "start.sampling.stability_stop",
        "stability_stop: set (expected: absent with a model whose noise is a mask)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          sampling { guidance_scale: 1 }                   | start.sampling.guidance_scale | guidance_scale: 1.0 (expected: 0 with a model that sees one block at a time)
          sampling { joint_edit {} }                       | start.sampling.joint_edit     | joint_edit: set (expected: absent with a model of uniform noise)
          sampling { revision { remask_threshold: 0.1 } }  | start.sampling.revision.remask_threshold | remask_threshold: 0.1 (expected: 0 with a model of uniform noise)
          canvas { block_length_tokens: 4 }                | start.canvas.block_length_tokens | block_length_tokens: 4 (expected: 8, the canvas of a model of uniform noise)
          canvas { window_length_tokens: 4 }               | start.canvas.window_length_tokens | window_length_tokens: 4 (expected: 8, the canvas of a model of uniform noise)
          canvas { template { parts { free_slot { name: "a" length_tokens: 1 } } } } | start.canvas.template | template: set (expected: absent with a model of uniform noise)
          """)
  void namesWhatAModelOfUniformNoiseCannot(String start, String path, String message)
      throws ParseException {
    ServingException refusal =
        refusal(() -> uniform().generate(generate(start), Long.MAX_VALUE, true));
    check(refusal, ErrorReason.MODEL_CAPABILITY, path, message);
  }

  @Test
  void aModelOfUniformNoiseRewritesDraftsWholly() throws ParseException {
    RefineStart half = TextFormat.parse("segments { text: \"ab\" noise: 0.5 }", RefineStart.class);
    check(
        refusal(() -> uniform().refine(half, Long.MAX_VALUE)),
        ErrorReason.MODEL_CAPABILITY,
        "start.segments[0].noise",
        "noise: 0.5 (expected: 1 with a model of uniform noise)");
  }

  private static RequestValidator uniform() {
    EngineInfo info = RpcFixture.info(AttentionKind.ENCODER_CANVAS, false);
    return validator(info, RpcFixture.uniformDefaults());
  }

  /** Of models with these facts. */
  static RequestValidator validator(EngineInfo info, ModelDefaults defaults) {
    return new RequestValidator(
        RpcFixture.catalog(
            (spec, signal) -> {
              throw new AssertionError("a validator opens no session");
            },
            info,
            defaults),
        () -> SEED);
  }

  @Test
  void reportsEverythingAtOnce() throws ParseException {
    GenerateStart start =
        generate(
            "canvas { block_length_tokens: 0 } sampling { temperature: 9 top_p: 0.5 } stream {"
                + " every_n_steps: 0 }");
    ServingException refusal = refusal(() -> validator.generate(start, Long.MAX_VALUE, true));
    assertThat(refusal.violations())
        .extracting(FieldViolation::path)
        .containsExactlyInAnyOrder(
            "start.canvas.block_length_tokens",
            "start.sampling.temperature",
            "start.stream.every_n_steps");
    assertThat(refusal.getMessage()).endsWith("and 2 more");
  }

  @Test
  void refusesWhatIsTooMuch() {
    GenerateStart tags = valid().toBuilder().setClientTag("x".repeat(129)).build();
    refuses(
        tags,
        ErrorReason.INVALID_FIELD,
        "start.client_tag",
        "client_tag: 129 characters (expected: 0..128 characters)");
    refuses(
        valid().toBuilder().setCacheSalt("x".repeat(129)).build(),
        ErrorReason.INVALID_FIELD,
        "start.cache_salt",
        "cache_salt: 129 characters (expected: 0..128 characters)");
    GenerateStart.Builder labels = valid().toBuilder();
    IntStream.range(0, 17).forEach(index -> labels.putLabels("k" + index, ""));
    refuses(
        labels.build(),
        ErrorReason.INVALID_FIELD,
        "start.labels",
        "labels: 17 labels (expected: 0..16)");
    GenerateStart.Builder texts = valid().toBuilder();
    IntStream.range(0, 17).forEach(index -> texts.getStopBuilder().addStopTexts("t" + index));
    refuses(
        texts.build(),
        ErrorReason.INVALID_FIELD,
        "start.stop.stop_texts",
        "stop_texts: 17 texts (expected: 0..16)");
    GenerateStart.Builder tokens = valid().toBuilder();
    IntStream.range(0, 65).forEach(index -> tokens.getStopBuilder().addStopTokenIds(index));
    refuses(
        tokens.build(),
        ErrorReason.INVALID_FIELD,
        "start.stop.stop_token_ids",
        "stop_token_ids: 65 tokens (expected: 0..64)");
    RefineStart.Builder segments = RefineStart.newBuilder();
    IntStream.range(0, 1025).forEach(index -> segments.addSegmentsBuilder().setText(""));
    check(
        refusal(() -> validator.refine(segments.build(), Long.MAX_VALUE)),
        ErrorReason.INVALID_FIELD,
        "start.segments",
        "segments: 1025 segments (expected: 1..1024)");
  }

  @Test
  void refusesAPromptOverTheContext() {
    GenerateStart.Builder start = valid().toBuilder();
    start.getPromptBuilder().setText("x".repeat(500));
    start.getCanvasBuilder().setMaxLengthTokens(13);
    refuses(
        start.build(),
        ErrorReason.CONTEXT_TOO_LONG,
        "start.canvas.max_length_tokens",
        "max_length_tokens: 13 (expected: prompt and canvas together at most 512 tokens, the prompt"
            + " has 500)");
    start.getPromptBuilder().setText("x".repeat(512));
    start.clearCanvas();
    ServingException refusal =
        refusal(() -> validator.generate(start.build(), Long.MAX_VALUE, true));
    assertThat(refusal.reason()).isEqualTo(ErrorReason.CONTEXT_TOO_LONG);
    assertThat(refusal.metadata())
        .containsEntry("prompt_tokens", "512")
        .containsEntry("canvas_tokens", "1")
        .containsEntry("max_context_tokens", "512");
  }

  @Test
  void refusesUnknownAndUnfinishedModels() {
    GenerateStart unknown = valid().toBuilder().setModel("no such").build();
    assertThat(refusal(() -> validator.generate(unknown, Long.MAX_VALUE, true)).reason())
        .isEqualTo(ErrorReason.MODEL_NOT_FOUND);
    GenerateStart late = valid().toBuilder().setModel("late").build();
    assertThat(refusal(() -> validator.generate(late, Long.MAX_VALUE, true)).reason())
        .isEqualTo(ErrorReason.MODEL_LOADING);
  }

  @Test
  void acknowledgementsNeedACallThatHasThem() throws ParseException {
    GenerateStart start = generate("stream { max_unacked_frames: 1 }");
    check(
        refusal(() -> validator.generate(start, Long.MAX_VALUE, false)),
        ErrorReason.INVALID_FIELD,
        "start.stream.max_unacked_frames",
        "max_unacked_frames: 1 (expected: 0 in a call without acknowledgements)");
    assertThat(validator.generate(start, Long.MAX_VALUE, true).stream().maxUnackedFrames())
        .isEqualTo(1);
  }

  @Test
  void aCallForOneMessageStreamsNothing() throws ParseException {
    assertThat(
            validator.generateText(generate("stream { include_token_ids: true }"), 5).stream()
                .tokenIds())
        .isTrue();
    assertThat(validator.generateText(valid(), 5).spec().deadlineNanos()).isEqualTo(5);
    GenerateStart start = generate("stream { detail: DETAIL_CANVAS }");
    check(
        refusal(() -> validator.generateText(start, Long.MAX_VALUE)),
        ErrorReason.INVALID_FIELD,
        "start.stream",
        "stream: set (expected: absent, or include_token_ids alone, in a call that returns one"
            + " message)");
  }

  static GenerateStart valid() {
    GenerateStart.Builder start = GenerateStart.newBuilder();
    start.getPromptBuilder().setText("Hi");
    return start.build();
  }

  /** A valid start, with some fields set otherwise. */
  static GenerateStart generate(String fields) throws ParseException {
    GenerateStart.Builder start = TextFormat.parse(fields, GenerateStart.class).toBuilder();
    if (!start.hasPrompt() && start.getResumeCursor().isEmpty()) {
      start.getPromptBuilder().setText("Hi");
    }
    return start.build();
  }

  private void refuses(GenerateStart start, ErrorReason reason, String path, String message) {
    check(refusal(() -> validator.generate(start, Long.MAX_VALUE, true)), reason, path, message);
  }

  static ServingException refusal(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    ServingException refusal = catchThrowableOfType(ServingException.class, call);
    assertThat(refusal).as("a refusal").isNotNull();
    return refusal;
  }

  static void check(ServingException refusal, ErrorReason reason, String path, String message) {
    assertThat(refusal.reason()).isEqualTo(reason);
    assertThat(refusal.violations()).contains(new FieldViolation(path, message));
    assertThat(refusal.getMessage()).startsWith(refusal.violations().get(0).path());
  }
}
