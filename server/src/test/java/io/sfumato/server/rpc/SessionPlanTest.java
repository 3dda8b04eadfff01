package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.TextFormat;
import com.google.protobuf.TextFormat.ParseException;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart.NoisySpan;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.text.ByteCodec;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.RefineStart;
import org.junit.jupiter.api.Test;

/** What becomes of a valid start message, and what stands in for what it leaves out. */
class SessionPlanTest {

  private final RequestValidator validator = RequestValidatorTest.validator();

  @Test
  void fillsInTheModelsDefaults() {
    SessionSpec spec =
        validator.generate(RequestValidatorTest.valid(), Long.MAX_VALUE, true).spec();
    assertThat(spec.promptTokens()).containsExactly('H', 'i');
    assertThat(spec.start().length()).isEqualTo(64);
    assertThat(spec.start().tokens()).containsOnly(CanvasSnapshot.NO_TOKEN);
    assertThat(spec.blockLength()).isEqualTo(32);
    assertThat(spec.windowLength()).isEqualTo(32);
    assertThat(spec.sampling().seed()).isEqualTo(RequestValidatorTest.SEED);
    assertThat(spec.sampling().temperature()).isEqualTo(TemperatureSchedule.GREEDY);
    assertThat(spec.sampling().maxStepsPerBlock()).isEqualTo(16);
    assertThat(spec.sampling().minAcceptPerStep()).isEqualTo(1);
    assertThat(spec.sampling().acceptance()).isEqualTo(RpcFixture.defaults().acceptance());
    assertThat(spec.sampling().revision()).isEqualTo(RpcFixture.defaults().revision());
    assertThat(spec.endOfTextTokens()).containsExactly(ByteCodec.END);
    assertThat(spec.stopTokens()).isEmpty();
  }

  @Test
  void takesWhatIsAskedFor() throws ParseException {
    SessionSpec spec =
        validator
            .generate(
                RequestValidatorTest.generate(
                    """
                    canvas { max_length_tokens: 20 block_length_tokens: 10 window_length_tokens: 5 }
                    sampling {
                      seed: -7 max_steps_per_block: 9 min_accept_per_step: 2 temperature: 0.5 guidance_scale: 1.5
                      top_p: 1 top_k: 0 repetition_penalty: 1
                      fixed_schedule { steps: 8 order: ORDER_MARGIN }
                      revision { remask_threshold: 0.25 max_revisions_per_token: 3 }
                    }
                    stop { stop_token_ids: 10 ignore_end_of_text: true }
                    client_tag: "mine"
                    """),
                99,
                true)
            .spec();
    assertThat(spec.start().length()).isEqualTo(20);
    assertThat(spec.blockLength()).isEqualTo(10);
    assertThat(spec.windowLength()).isEqualTo(5);
    assertThat(spec.sampling().seed()).isEqualTo(-7);
    assertThat(spec.sampling().maxStepsPerBlock()).isEqualTo(9);
    assertThat(spec.sampling().minAcceptPerStep()).isEqualTo(2);
    assertThat(spec.sampling().temperature()).isEqualTo(TemperatureSchedule.constant(.5f));
    assertThat(spec.sampling().guidanceScale()).isEqualTo(1.5f);
    assertThat(spec.sampling().acceptance())
        .isEqualTo(
            new AcceptanceSpec.FixedSchedule(
                8, AcceptanceSpec.Order.MARGIN, AcceptanceSpec.Spread.EVEN));
    assertThat(spec.sampling().revision().remaskThreshold()).isEqualTo(.25f);
    assertThat(spec.sampling().revision().maxRevisionsPerToken()).isEqualTo(3);
    assertThat(spec.sampling().suppressedTokens()).containsExactly(ByteCodec.END);
    assertThat(spec.endOfTextTokens()).isEmpty();
    assertThat(spec.stopTokens()).containsExactly(10);
    assertThat(spec.deadlineNanos()).isEqualTo(99);
    assertThat(spec.tag()).isEqualTo("mine");
  }

  @Test
  void shortensDefaultsToWhatThereIsRoomFor() {
    GenerateStart.Builder start = RequestValidatorTest.valid().toBuilder();
    start.getPromptBuilder().setText("x".repeat(502));
    SessionSpec spec = validator.generate(start.build(), Long.MAX_VALUE, true).spec();
    assertThat(spec.start().length()).isEqualTo(10);
    assertThat(spec.blockLength()).isEqualTo(10);
    assertThat(spec.sampling().minAcceptPerStep()).isEqualTo(1);
  }

  @Test
  void whereBlocksSeeEachOtherTheTextMayBeShorterThanOne() throws ParseException {
    RequestValidator causal =
        new RequestValidator(
            RpcFixture.catalog(
                (spec, signal) -> {
                  throw new AssertionError("a validator opens no session");
                },
                RpcFixture.info(),
                RpcFixture.defaults(true)),
            () -> RequestValidatorTest.SEED);
    GenerateStart start = RequestValidatorTest.generate("canvas { max_length_tokens: 8 }");
    SessionSpec spec = causal.generate(start, Long.MAX_VALUE, true).spec();
    assertThat(spec.blockLength()).isEqualTo(32);
    assertThat(spec.attending()).isEqualTo(new Attending(32, 0, false));
    GenerateStart cached =
        RequestValidatorTest.generate("sampling { approximate_cache: APPROXIMATE_CACHE_DUAL }");
    assertThatThrownBy(() -> causal.generate(cached, Long.MAX_VALUE, true))
        .hasMessageContaining(
            "approximate_cache: DUAL (expected: NONE, the model keeps finished blocks exactly)");
    start = RequestValidatorTest.generate("canvas { block_length_tokens: 16 }");
    spec = causal.generate(start, Long.MAX_VALUE, true).spec();
    assertThat(spec.attending()).isEqualTo(new Attending(16, 0, false));
    spec = validator.generate(RequestValidatorTest.valid(), Long.MAX_VALUE, true).spec();
    assertThat(spec.attending()).isEqualTo(Attending.FULL);
  }

  @Test
  void anApproximateCacheIsOnlyThereWhenAskedFor() throws ParseException {
    assertThat(cache("")).isEqualTo(CacheMode.NONE);
    assertThat(cache("sampling { approximate_cache: APPROXIMATE_CACHE_NONE }"))
        .isEqualTo(CacheMode.NONE);
    assertThat(cache("sampling { approximate_cache: APPROXIMATE_CACHE_PREFIX }"))
        .isEqualTo(CacheMode.PREFIX);
    assertThat(cache("sampling { approximate_cache: APPROXIMATE_CACHE_DUAL }"))
        .isEqualTo(CacheMode.DUAL);
  }

  private CacheMode cache(String start) throws ParseException {
    return validator
        .generate(RequestValidatorTest.generate(start), Long.MAX_VALUE, true)
        .spec()
        .cache();
  }

  @Test
  void jointEditsHaveDefaultsOfTheirOwn() throws ParseException {
    assertThat(acceptance("sampling { joint_edit { threshold: 0.5 } }"))
        .isEqualTo(new AcceptanceSpec.JointEdit(.5f, .9f, 16));
    assertThat(acceptance("sampling { joint_edit { edit_threshold: 0.25 post_edit_steps: 0 } }"))
        .isEqualTo(new AcceptanceSpec.JointEdit(.95f, .25f, 0));
  }

  private AcceptanceSpec acceptance(String fields) throws ParseException {
    return validator
        .generate(RequestValidatorTest.generate(fields), Long.MAX_VALUE, true)
        .spec()
        .sampling()
        .acceptance();
  }

  @Test
  void moreStepsThanTheDefaultAreFineWhenAScheduleAsksForThem() throws ParseException {
    SessionSpec spec =
        validator
            .generate(
                RequestValidatorTest.generate("sampling { fixed_schedule { steps: 40 } }"),
                Long.MAX_VALUE,
                true)
            .spec();
    assertThat(spec.sampling().maxStepsPerBlock()).isEqualTo(40);
  }

  @Test
  void chatGoesThroughTheTemplateAndThePrefixFollows() throws ParseException {
    GenerateStart start =
        TextFormat.parse(
            """
            prompt { chat { messages { role: "user" content: "x" } } } assistant_prefix: "S"
            """,
            GenerateStart.class);
    assertThat(validator.generate(start, Long.MAX_VALUE, true).spec().promptTokens())
        .containsExactly(ByteCodec.TURN, 'u', 's', 'e', 'r', ':', 'x', ByteCodec.TURN, 'S');
  }

  @Test
  void readsADraft() throws ParseException {
    RefineStart start =
        TextFormat.parse(
            """
            instruction { text: "I" }
            segments { text: "ab" mode: MODE_LOCKED }
            segments { blank_tokens: 2 }
            segments { text: "cd" noise: 0.5 }
            segments { token_ids { ids: 7 ids: 8 ids: 9 } }
            segments { text: "e" noise: 0 }
            canvas { max_length_tokens: 12 }
            """,
            RefineStart.class);
    SessionSpec spec = validator.refine(start, Long.MAX_VALUE).spec();
    assertThat(spec.promptTokens()).containsExactly('I');
    assertThat(spec.start().tokens())
        .containsExactly('a', 'b', -1, -1, 'c', 'd', 7, 8, 9, 'e', -1, -1);
    assertThat(spec.start().pinned())
        .containsExactly(
            true, true, false, false, false, false, false, false, false, false, false, false);
    assertThat(spec.start().reopened())
        .containsExactly(new NoisySpan(4, 2, .5f), new NoisySpan(6, 3, 1));
  }
}
