package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import com.google.protobuf.TextFormat.ParseException;
import io.grpc.Status.Code;
import io.grpc.stub.StreamObserver;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.schedule.HashScript;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.text.ByteCodec;
import io.sfumato.v1.Capabilities;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import io.sfumato.v1.FinishNow;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.GetModelRequest;
import io.sfumato.v1.Model;
import io.sfumato.v1.ModelServiceGrpc;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenState;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calls of a model that denoises masks over a context that it encodes causally. */
@Timeout(60)
class SeededCallTest {

  private final HashScript script = new HashScript(ByteCodec.END, -1, 1); // bytes only
  private final CountDownLatch more = new CountDownLatch(1); // runs than the first
  private final RpcFixture fixture = RpcFixture.seeding(this::propose);
  private final RequestValidator validator =
      RequestValidatorTest.validator(RpcFixture.seedingInfo(), RpcFixture.seedingDefaults());

  SeededCallTest() throws IOException {}

  private void propose(long run, StepBatch batch, Candidates candidates) {
    try {
      if (run > 1) {
        more.await();
      }
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    script.propose(run, batch, candidates);
  }

  @AfterEach
  void close() {
    more.countDown();
    fixture.close();
  }

  @Test
  void theModelTellsWhatItCanDo() {
    Model model =
        ModelServiceGrpc.newBlockingStub(fixture.channel)
            .getModel(GetModelRequest.getDefaultInstance())
            .getModel();
    Capabilities can = model.getCapabilities();
    assertThat(can.getNoise()).isEqualTo(Capabilities.Noise.NOISE_MASK);
    assertThat(can.getFixedBlockLengthTokens()).isZero();
    assertThat(model.getLimits().getMaxBlockLengthTokens()).isEqualTo(8);
    assertThat(can.getRefine()).isTrue();
    assertThat(can.getTemplates()).isTrue();
    assertThat(can.getRevision()).isTrue();
    assertThat(can.getJointEdit()).isTrue();
    assertThat(can.getGuidance()).isFalse();
    assertThat(can.getApproximateCache()).isFalse();
    assertThat(model.getDefaultCanvas().getBlockLengthTokens()).isEqualTo(8);
  }

  @Test
  void theFirstFrameShowsWhatThePromptPredicts() throws Exception {
    GenerateStart start =
        GenerateStart.newBuilder()
            .setPrompt(Prompt.newBuilder().setText("Hi"))
            .setStream(
                StreamSpec.newBuilder()
                    .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
                    .setIncludeTokenIds(true))
            .build();
    EventLog<GenerateRequest> log = new EventLog<>();
    StreamObserver<GenerateRequest> requests =
        GenerationServiceGrpc.newStub(fixture.channel).generate(log);
    requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
    Event first = log.next(Event.KindCase.CANVAS_KEYFRAME);
    more.countDown();
    Control finish =
        Control.newBuilder()
            .setControlId(1)
            .setFinishNow(FinishNow.newBuilder().setScope(FinishNow.Scope.SCOPE_BLOCK))
            .build();
    requests.onNext(GenerateRequest.newBuilder().setControl(finish).build());
    requests.onCompleted();
    List<Event> rest = log.rest();
    assertThat(log.code()).isEqualTo(Code.OK);
    assertThat(first.getStep()).isEqualTo(1);
    assertThat(first.getCanvasKeyframe().getSpans(0).getState())
        .isEqualTo(TokenState.TOKEN_STATE_PROVISIONAL);
    assertThat(rest.getLast().getFinished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_MAX_LENGTH);
    assertThat(rest.getLast().getFinished().getUsage().getCommittedTokens()).isEqualTo(20);
    // Text that the last token began and did not end comes in one more of them, without a span.
    assertThat(rest.stream().filter(event -> event.getBlockCommitted().hasSpan())).hasSize(3);
  }

  @Test
  void blocksAreAsLongAsAskedForUpToTheModels() throws ParseException {
    SessionSpec spec =
        validator.generate(RequestValidatorTest.valid(), Long.MAX_VALUE, true).spec();
    assertThat(spec.attending()).isEqualTo(Attending.CAUSAL);
    assertThat(spec.isUniform()).isFalse();
    assertThat(spec.blockLength()).isEqualTo(8);
    GenerateStart shorter =
        RequestValidatorTest.generate("canvas { block_length_tokens: 5 window_length_tokens: 2 }");
    spec = validator.generate(shorter, Long.MAX_VALUE, true).spec();
    assertThat(spec.blockLength()).isEqualTo(5);
    assertThat(spec.windowLength()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          sampling { guidance_scale: 1 }        | MODEL_CAPABILITY | start.sampling.guidance_scale | guidance_scale: 1.0 (expected: 0 with a model that sees one block at a time)
          sampling { stability_stop {} }        | MODEL_CAPABILITY | start.sampling.stability_stop | stability_stop: set (expected: absent with a model whose noise is a mask)
          sampling { approximate_cache: APPROXIMATE_CACHE_PREFIX } | MODEL_CAPABILITY | start.sampling.approximate_cache | approximate_cache: PREFIX (expected: NONE, the model keeps finished blocks exactly)
          canvas { block_length_tokens: 9 }     | INVALID_FIELD    | start.canvas.block_length_tokens | block_length_tokens: 9 (expected: 1..8)
          canvas { template { parts { fixed_text: "mood: " } parts { choice_slot { name: "a" options: "bad" options: "good" } } } } | MODEL_CAPABILITY | start.canvas.template.parts[1].choice_slot | choice_slot: tokens 6..9 (expected: within a block of 8, all that the model sees at once)
          """)
  void namesWhatAModelThatSeesOneBlockCannot(
      String start, ErrorReason reason, String path, String message) throws ParseException {
    GenerateStart request = RequestValidatorTest.generate(start);
    RequestValidatorTest.check(
        RequestValidatorTest.refusal(() -> validator.generate(request, Long.MAX_VALUE, true)),
        reason,
        path,
        message);
  }

  @Test
  void aModelThatSeesOneBlockPolishesOneBlock() throws ParseException {
    RefineStart half = draft("");
    assertThat(validator.refine(half, Long.MAX_VALUE).spec().start().reopened()).hasSize(1);
    RequestValidatorTest.check(
        RequestValidatorTest.refusal(() -> validator.refine(draft(" and"), Long.MAX_VALUE)),
        ErrorReason.MODEL_CAPABILITY,
        "start.segments[1].noise",
        "noise: a part of the segment (expected: 0 or 1 with a canvas of more than one block, 8"
            + " tokens)");
  }

  private static RefineStart draft(String more) throws ParseException {
    return TextFormat.parse(
        "segments { text: \"ab\" mode: MODE_LOCKED } segments { text: \"cdefgh"
            + more
            + "\" noise: 0.5 }",
        RefineStart.class);
  }
}
