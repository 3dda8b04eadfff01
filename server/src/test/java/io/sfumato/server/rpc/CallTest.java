package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;

import com.google.rpc.ErrorInfo;
import io.grpc.Status.Code;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import io.sfumato.v1.ApproximateCache;
import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import io.sfumato.v1.Event.KindCase;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.RequestKeyframe;
import io.sfumato.v1.SamplingSpec;
import io.sfumato.v1.StreamSpec;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** One call over Netty: what a client may say and when, and what becomes of it. */
@Timeout(60)
class CallTest {

  private final SteppedCall call = new SteppedCall();

  CallTest() throws IOException {}

  @AfterEach
  void close() {
    call.close();
  }

  @Test
  void acceptedEchoesWhatIsInEffect() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS));
    Event event = call.log.next();
    assertThat(event.getSequence()).isEqualTo(1);
    assertThat(event.getStep()).isZero();
    assertThat(event.getAccepted().getSessionId()).startsWith("s-");
    assertThat(event.getAccepted().getModel()).isEqualTo("bytes");
    assertThat(event.getAccepted().getModelDigest()).isEqualTo("00ff");
    assertThat(event.getAccepted().getPromptTokens()).isEqualTo(2);
    assertThat(event.getAccepted().getCanvas())
        .isEqualTo(
            CanvasSpec.newBuilder()
                .setMaxLengthTokens(100)
                .setBlockLengthTokens(50)
                .setWindowLengthTokens(50)
                .build());
    SamplingSpec sampling = event.getAccepted().getSampling();
    assertThat(sampling.getSeed()).isEqualTo(1);
    assertThat(sampling.getApproximateCache()).isEqualTo(ApproximateCache.APPROXIMATE_CACHE_NONE);
    assertThat(sampling.getFixedSchedule().getSteps()).isEqualTo(50);
    assertThat(sampling.getFixedSchedule().getOrder())
        .isEqualTo(FixedSchedule.Order.ORDER_CONFIDENCE);
    assertThat(sampling.getAllFields().keySet())
        .extracting(field -> field.getName())
        .contains(
            "seed",
            "max_steps_per_block",
            "min_accept_per_step",
            "temperature",
            "top_p",
            "top_k",
            "revision",
            "guidance_scale",
            "repetition_penalty");
  }

  @Test
  void acceptedSaysThatTheTextIsAnApproximation() throws Exception {
    GenerateStart.Builder start = SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED);
    start.getSamplingBuilder().setApproximateCache(ApproximateCache.APPROXIMATE_CACHE_DUAL);
    call.open(start);
    Event event = call.log.next(KindCase.ACCEPTED);
    assertThat(event.getAccepted().getSampling().getApproximateCache())
        .isEqualTo(ApproximateCache.APPROXIMATE_CACHE_DUAL);
    call.step(SteppedCall.FOREVER);
    List<Event> rest = call.log.rest();
    assertThat(call.log.code()).isEqualTo(Code.OK);
    // Two steps compute the prompt of two tokens and the canvas of 100, the others a block of 50.
    assertThat(rest.get(rest.size() - 1).getFinished().getUsage().getTokenForwards())
        .isEqualTo(2 * 102 + 98 * 50);
  }

  @Test
  void halfCloseMeansNoMoreControlsAndTheGenerationGoesOn() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED));
    call.requests.onCompleted();
    call.log.next(KindCase.ACCEPTED);
    call.step(SteppedCall.FOREVER);
    List<Event> rest = call.log.rest();
    assertThat(call.log.code()).isEqualTo(Code.OK);
    assertThat(rest.get(rest.size() - 1).getFinished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_MAX_LENGTH);
  }

  @Test
  void cancellingFreesThePlaceAtTheNextStep() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS));
    RecordingGate.Recorded session = call.session();
    call.step(1);
    call.log.next(KindCase.CANVAS_KEYFRAME);
    call.log.cancel();
    call.await(session::isCancelled);
    call.step(1); // the one that the engine had begun
    call.awaitIdle();
    assertThat(call.fixture.engine.runs()).isLessThanOrEqualTo(2);
    EventLog<GenerateRequest> second = new EventLog<>();
    StreamObserver<GenerateRequest> secondRequests = call.stub.generate(second);
    secondRequests.onNext(
        GenerateRequest.newBuilder()
            .setStart(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED))
            .build());
    call.step(SteppedCall.FOREVER);
    assertThat(second.code()).isEqualTo(Code.OK);
  }

  @Test
  void theFirstMessageMustBeStart() throws Exception {
    call.openEmpty();
    call.control(
        Control.newBuilder()
            .setControlId(1)
            .setRequestKeyframe(RequestKeyframe.getDefaultInstance()));
    refused("start: absent (expected: the first message)");
  }

  @Test
  void startComesOnce() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS));
    call.requests.onNext(
        GenerateRequest.newBuilder()
            .setStart(SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS))
            .build());
    refused("start: second (expected: the first message, exactly once)");
  }

  @Test
  void anEmptyMessageIsRefused() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS));
    call.requests.onNext(GenerateRequest.getDefaultInstance());
    refused("message: empty (expected: start, control or frame_ack)");
  }

  @Test
  void aCallWithoutAnyMessageIsRefused() throws Exception {
    call.openEmpty();
    call.requests.onCompleted();
    refused("start: absent (expected: the first message)");
  }

  @Test
  void aQueuedSessionSaysSoAndThenRuns() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED));
    call.log.next(KindCase.ACCEPTED);
    EventLog<GenerateRequest> second = new EventLog<>();
    StreamObserver<GenerateRequest> secondRequests = call.stub.generate(second);
    secondRequests.onNext(
        GenerateRequest.newBuilder()
            .setStart(SteppedCall.start(StreamSpec.Detail.DETAIL_FINAL_ONLY))
            .build());
    Event accepted = second.next();
    assertThat(accepted.getAccepted().getState())
        .isEqualTo(io.sfumato.v1.Accepted.State.STATE_QUEUED);
    assertThat(accepted.getAccepted().getQueuePosition()).isEqualTo(1);
    call.step(SteppedCall.FOREVER);
    assertThat(second.next(KindCase.PROGRESS).getProgress().getRunning().getUndecidedTokens())
        .isEqualTo(50);
    assertThat(second.code()).isEqualTo(Code.OK);
  }

  @Test
  void aClientThatBreaksOffWhileItsStartIsReadLeavesNothingBehind() {
    for (int round = 0; round < 50; round++) {
      EventLog<GenerateRequest> brief = new EventLog<>();
      StreamObserver<GenerateRequest> briefRequests = call.stub.generate(brief);
      briefRequests.onNext(
          GenerateRequest.newBuilder()
              .setStart(SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS))
              .build());
      brief.cancel();
    }
    call.step(SteppedCall.FOREVER);
    assertThatNoException().isThrownBy(call::awaitIdle);
  }

  private void refused(String message) throws Exception {
    assertThat(call.log.code()).isEqualTo(Code.INVALID_ARGUMENT);
    com.google.rpc.Status status = StatusProto.fromThrowable(call.log.error());
    assertThat(status.getMessage()).isEqualTo(message);
    assertThat(status.getDetails(0).unpack(ErrorInfo.class).getReason())
        .isEqualTo("UNEXPECTED_MESSAGE");
  }
}
