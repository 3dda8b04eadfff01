package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Status.Code;
import io.sfumato.v1.Control;
import io.sfumato.v1.EditSpan;
import io.sfumato.v1.Event;
import io.sfumato.v1.Event.KindCase;
import io.sfumato.v1.FinishNow;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.Pause;
import io.sfumato.v1.PinSpans;
import io.sfumato.v1.ReopenSpans;
import io.sfumato.v1.RequestKeyframe;
import io.sfumato.v1.Resume;
import io.sfumato.v1.SetBudget;
import io.sfumato.v1.StopAfterBlock;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.UnpinSpans;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Controls over Netty: each is answered once, and a refused one changes nothing. */
@Timeout(60)
class ControlTest {

  private final SteppedCall call = new SteppedCall();

  ControlTest() throws IOException {}

  @AfterEach
  void close() {
    call.close();
  }

  @Test
  void finishNowCommitsTheBestGuess() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS));
    RecordingGate.Recorded session = call.session();
    call.step(1);
    call.log.next(KindCase.CANVAS_KEYFRAME);
    call.control(Control.newBuilder().setControlId(5).setFinishNow(FinishNow.getDefaultInstance()));
    call.await(() -> session.controls() == 1);
    call.step(2); // the one that the engine had begun, and the last
    Event applied = call.log.next(KindCase.CONTROL_APPLIED);
    assertThat(applied.getControlApplied().getControlId()).isEqualTo(5);
    assertThat(applied.getControlApplied().getStep()).isBetween(1, 2);
    Event finished = call.log.next(KindCase.FINISHED);
    assertThat(finished.getFinished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_FINISHED_BY_CLIENT);
    assertThat(finished.getFinished().getUsage().getCommittedTokens()).isEqualTo(100);
    assertThat(finished.getStep()).isEqualTo(applied.getControlApplied().getStep() + 1);
    assertThat(call.log.code()).isEqualTo(Code.OK);
  }

  @Test
  void stopAfterBlockEndsThere() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED));
    RecordingGate.Recorded session = call.session();
    call.control(
        Control.newBuilder()
            .setControlId(5)
            .setStopAfterBlock(StopAfterBlock.getDefaultInstance()));
    call.await(() -> session.controls() == 1);
    call.step(SteppedCall.FOREVER);
    Event finished = call.log.next(KindCase.FINISHED);
    assertThat(finished.getFinished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_FINISHED_BY_CLIENT);
    assertThat(finished.getFinished().getUsage().getCommittedTokens()).isEqualTo(50);
  }

  @Test
  void whatIsNotBuiltIsRefusedByAnEventAndTheStreamGoesOn() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED));
    List<Control.Builder> controls =
        List.of(
            Control.newBuilder().setPinSpans(PinSpans.getDefaultInstance()),
            Control.newBuilder().setUnpinSpans(UnpinSpans.getDefaultInstance()),
            Control.newBuilder().setEditSpan(EditSpan.getDefaultInstance()),
            Control.newBuilder().setReopenSpans(ReopenSpans.getDefaultInstance()),
            Control.newBuilder().setSetBudget(SetBudget.getDefaultInstance()),
            Control.newBuilder().setPause(Pause.getDefaultInstance()),
            Control.newBuilder().setResume(Resume.getDefaultInstance()));
    for (int index = 0; index < controls.size(); index++) {
      call.control(controls.get(index).setControlId(index + 1));
    }
    for (int index = 0; index < controls.size(); index++) {
      Event event = call.log.next(KindCase.CONTROL_REJECTED);
      assertThat(event.getControlRejected().getControlId()).isEqualTo(index + 1);
      io.sfumato.v1.Status status = event.getControlRejected().getStatus();
      assertThat(status.getCode()).isEqualTo(Code.UNIMPLEMENTED.value());
      assertThat(status.getDetails(0).unpack(ErrorInfo.class).getReason()).isEqualTo("NOT_BUILT");
      String field = controls.get(index).getActionCase().name().toLowerCase(java.util.Locale.ROOT);
      assertThat(status.getDetails(1).unpack(BadRequest.class).getFieldViolations(0).getField())
          .isEqualTo("control." + field);
    }
    call.step(SteppedCall.FOREVER);
    assertThat(call.log.code()).isEqualTo(Code.OK);
  }

  @Test
  void malformedControlsAreRefusedByAnEvent() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED));
    call.control(Control.newBuilder().setControlId(3));
    assertThat(
            call.log.next(KindCase.CONTROL_REJECTED).getControlRejected().getStatus().getMessage())
        .isEqualTo("control.action: absent (expected: one of its fields)");
    call.control(Control.newBuilder().setFinishNow(FinishNow.getDefaultInstance()));
    assertThat(
            call.log.next(KindCase.CONTROL_REJECTED).getControlRejected().getStatus().getMessage())
        .isEqualTo("control.control_id: 0 (expected: 1 or more)");
    call.control(
        Control.newBuilder().setControlId(4).setFinishNow(FinishNow.newBuilder().setScopeValue(9)));
    assertThat(
            call.log.next(KindCase.CONTROL_REJECTED).getControlRejected().getStatus().getMessage())
        .isEqualTo("control.finish_now.scope: 9 (expected: a value of FinishNow.Scope)");
    call.control(
        Control.newBuilder()
            .setControlId(5)
            .setSetStream(StreamSpec.newBuilder().setEveryNSteps(0)));
    assertThat(
            call.log.next(KindCase.CONTROL_REJECTED).getControlRejected().getStatus().getMessage())
        .isEqualTo("control.set_stream.every_n_steps: 0 (expected: 1..4096)");
  }

  @Test
  void aKeyframeComesOnRequestWhateverTheDetail() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_FINAL_ONLY));
    call.control(
        Control.newBuilder()
            .setControlId(1)
            .setRequestKeyframe(RequestKeyframe.getDefaultInstance()));
    call.log.next(KindCase.CONTROL_APPLIED);
    call.step(1);
    Event keyframe = call.log.next(KindCase.CANVAS_KEYFRAME);
    assertThat(keyframe.getCanvasKeyframe().getFrame()).isEqualTo(1);
    call.step(SteppedCall.FOREVER);
    assertThat(call.log.rest()).extracting(Event::getKindCase).containsOnly(KindCase.FINISHED);
  }

  @Test
  void setStreamChangesWhatIsShownFromThenOn() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_FINAL_ONLY));
    call.log.next(KindCase.ACCEPTED);
    call.control(
        Control.newBuilder()
            .setControlId(1)
            .setSetStream(
                StreamSpec.newBuilder()
                    .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
                    .setIncludeTokenIds(true)));
    assertThat(call.log.next().getKindCase()).isEqualTo(KindCase.CONTROL_APPLIED);
    call.step(1);
    assertThat(call.log.next(KindCase.CANVAS_KEYFRAME).getCanvasKeyframe().getSpansList())
        .anyMatch(span -> span.getTokenIdsCount() > 0);
    call.step(1);
    call.log.next(KindCase.CANVAS_DELTA);
    call.control(
        Control.newBuilder()
            .setControlId(2)
            .setSetStream(StreamSpec.newBuilder().setDetail(StreamSpec.Detail.DETAIL_CANVAS)));
    call.log.next(KindCase.CONTROL_APPLIED);
    call.step(1);
    assertThat(call.log.next(KindCase.CANVAS_KEYFRAME).getCanvasKeyframe().getSpansList())
        .noneMatch(span -> span.getTokenIdsCount() > 0);
  }

  @Test
  void aFloodOfControlsIsSlowedAndAnsweredInFull() throws Exception {
    EventLog<GenerateRequest> slow = new EventLog<>(true);
    call.open(slow);
    call.requests.onNext(
        GenerateRequest.newBuilder()
            .setStart(SteppedCall.start(StreamSpec.Detail.DETAIL_FINAL_ONLY))
            .build());
    int flood = 5000;
    for (int index = 1; index <= flood; index++) {
      call.control(Control.newBuilder().setControlId(index).setPause(Pause.getDefaultInstance()));
    }
    slow.request(1);
    assertThat(slow.next().hasAccepted()).isTrue();
    slow.request(SteppedCall.FOREVER);
    for (int index = 1; index <= flood; index++) {
      assertThat(slow.next().getControlRejected().getControlId()).isEqualTo(index);
    }
    call.step(SteppedCall.FOREVER);
    assertThat(slow.code()).isEqualTo(Code.OK);
  }
}
