package io.sfumato.server.rpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Status.Code;
import io.sfumato.v1.Control;
import io.sfumato.v1.ControlApplied;
import io.sfumato.v1.ControlRejected;
import io.sfumato.v1.EditSpan;
import io.sfumato.v1.Event;
import io.sfumato.v1.Event.KindCase;
import io.sfumato.v1.FinishNow;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.JointEdit;
import io.sfumato.v1.Pause;
import io.sfumato.v1.PinSpans;
import io.sfumato.v1.PositionRange;
import io.sfumato.v1.ReopenSpans;
import io.sfumato.v1.RequestKeyframe;
import io.sfumato.v1.Resume;
import io.sfumato.v1.SetBudget;
import io.sfumato.v1.StopAfterBlock;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenState;
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
  void aBudgetOutOfRangeIsRefusedByAnEventAndTheStreamGoesOn() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED));
    call.control(
        Control.newBuilder()
            .setControlId(1)
            .setSetBudget(
                SetBudget.newBuilder().setJointEdit(JointEdit.newBuilder().setThreshold(2))));
    io.sfumato.v1.Status status = rejection(1);
    assertThat(status.getCode()).isEqualTo(Code.INVALID_ARGUMENT.value());
    assertThat(status.getDetails(0).unpack(ErrorInfo.class).getReason()).isEqualTo("INVALID_FIELD");
    assertThat(status.getDetails(1).unpack(BadRequest.class).getFieldViolations(0).getField())
        .isEqualTo("control.set_budget.joint_edit.threshold");
    call.step(SteppedCall.FOREVER);
    assertThat(call.log.code()).isEqualTo(Code.OK);
  }

  private io.sfumato.v1.Status rejection(int controlId) throws Exception {
    ControlRejected rejected = call.log.next(KindCase.CONTROL_REJECTED).getControlRejected();
    assertThat(rejected.getControlId()).isEqualTo(controlId);
    return rejected.getStatus();
  }

  private static PositionRange.Builder at(int start, int length) {
    return PositionRange.newBuilder().setStart(start).setLength(length);
  }

  private static Control.Builder edit(int controlId, int start, int length, String text) {
    return Control.newBuilder()
        .setControlId(controlId)
        .setEditSpan(EditSpan.newBuilder().setRange(at(start, length)).setText(text));
  }

  private static GenerateStart.Builder canvasWithTokens() {
    GenerateStart.Builder start = SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS);
    start.getStreamBuilder().setIncludeTokenIds(true);
    return start;
  }

  /** Takes steps until the control has arrived and is applied. */
  private int applied(int controlId) throws Exception {
    call.step(2); // the one that the engine had begun, and one more
    ControlApplied applied = call.log.next(KindCase.CONTROL_APPLIED).getControlApplied();
    assertThat(applied.getControlId()).isEqualTo(controlId);
    return applied.getStep();
  }

  @Test
  void anEditStandsToTheEnd() throws Exception {
    call.open(canvasWithTokens());
    RecordingGate.Recorded session = call.session();
    call.step(3);
    call.log.next(KindCase.CANVAS_KEYFRAME);
    call.control(edit(1, 60, 2, "ab")); // in the block to come
    call.control(edit(2, 10, 1, "xyz")); // two positions longer: the first edit moves on
    call.await(() -> session.controls() == 2);
    applied(1);
    assertThat(call.log.next(KindCase.CONTROL_APPLIED).getControlApplied().getControlId())
        .isEqualTo(2);
    call.step(SteppedCall.FOREVER);
    Event finished = call.log.next(KindCase.FINISHED);
    byte[] text = new byte[100];
    for (int position = 0; position < 100; position++) {
      text[position] = (byte) finished.getFinished().getTokenIds(position);
    }
    assertThat(new String(text, 10, 3, US_ASCII)).isEqualTo("xyz");
    assertThat(new String(text, 62, 2, US_ASCII)).isEqualTo("ab");
    assertThat(finished.getFinished().getUsage().getCommittedTokens()).isEqualTo(100);
  }

  @Test
  void aPausedCanvasCanBeWorkedOnAndGoesOnWhenAsked() throws Exception {
    call.open(canvasWithTokens());
    RecordingGate.Recorded session = call.session();
    call.step(1);
    call.log.next(KindCase.CANVAS_KEYFRAME);
    call.control(Control.newBuilder().setControlId(1).setPause(Pause.getDefaultInstance()));
    call.await(() -> session.controls() == 1);
    call.step(50);
    int pausedBefore = call.log.next(KindCase.CONTROL_APPLIED).getControlApplied().getStep();
    long runs = call.fixture.engine.runs();
    call.control(edit(2, 0, 3, "abc"));
    assertThat(call.log.next(KindCase.CONTROL_APPLIED).getControlApplied().getStep())
        .isEqualTo(pausedBefore);
    assertThat(call.log.next(KindCase.CANVAS_DELTA).getCanvasDelta().getSpansList())
        .anyMatch(span ->
            span.getState() == TokenState.TOKEN_STATE_PINNED
                && span.getTokenIdsList().equals(List.of((int) 'a', (int) 'b', (int) 'c')));
    call.control(
        Control.newBuilder()
            .setControlId(3)
            .setUnpinSpans(UnpinSpans.newBuilder().addRanges(at(0, 2))));
    call.log.next(KindCase.CONTROL_APPLIED);
    call.control(
        Control.newBuilder()
            .setControlId(4)
            .setReopenSpans(ReopenSpans.newBuilder().addRanges(at(1, 1))));
    call.log.next(KindCase.CONTROL_APPLIED);
    call.control(
        Control.newBuilder()
            .setControlId(5)
            .setPinSpans(PinSpans.newBuilder().addRanges(at(0, 1)).addRanges(at(2, 1))));
    call.log.next(KindCase.CONTROL_APPLIED);
    assertThat(call.fixture.engine.runs()).isEqualTo(runs);
    call.control(Control.newBuilder().setControlId(6).setResume(Resume.getDefaultInstance()));
    call.step(SteppedCall.FOREVER);
    Event finished = call.log.next(KindCase.FINISHED);
    assertThat(finished.getFinished().getTokenIds(0)).isEqualTo('a');
    assertThat(finished.getFinished().getTokenIds(2)).isEqualTo('c');
    assertThat(call.log.code()).isEqualTo(Code.OK);
  }

  @Test
  void whoHasNothingMoreToSayDoesNotLeaveItPaused() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED));
    RecordingGate.Recorded session = call.session();
    call.control(Control.newBuilder().setControlId(1).setPause(Pause.getDefaultInstance()));
    call.await(() -> session.controls() == 1);
    call.step(1);
    call.log.next(KindCase.CONTROL_APPLIED);
    call.requests.onCompleted();
    call.step(SteppedCall.FOREVER);
    assertThat(call.log.next(KindCase.FINISHED).getFinished().getUsage().getCommittedTokens())
        .isEqualTo(100);
  }

  @Test
  void aSmallerBudgetEndsTheBlockSooner() throws Exception {
    call.open(SteppedCall.start(StreamSpec.Detail.DETAIL_COMMITTED));
    RecordingGate.Recorded session = call.session();
    call.control(
        Control.newBuilder()
            .setControlId(1)
            .setSetBudget(SetBudget.newBuilder().setMaxStepsPerBlock(3)));
    call.await(() -> session.controls() == 1);
    call.step(SteppedCall.FOREVER);
    assertThat(call.log.next(KindCase.FINISHED).getFinished().getUsage().getForwardPasses())
        .isLessThanOrEqualTo(6);
  }

  @Test
  void whatDoesNotApplyIsRefusedAndLeavesNoTrace() throws Exception {
    call.open(canvasWithTokens());
    RecordingGate.Recorded session = call.session();
    call.step(3);
    call.log.next(KindCase.CANVAS_KEYFRAME);
    call.control(
        Control.newBuilder()
            .setControlId(1)
            .setPinSpans(PinSpans.newBuilder().addRanges(at(0, 50)))); // many of them undecided
    call.control(edit(2, 99, 1, "too long"));
    call.await(() -> session.controls() == 2);
    call.step(2);
    for (int controlId = 1; controlId <= 2; controlId++) {
      io.sfumato.v1.Status status = rejection(controlId);
      assertThat(status.getCode()).isEqualTo(Code.FAILED_PRECONDITION.value());
      assertThat(status.getDetails(0).unpack(ErrorInfo.class).getReason())
          .isEqualTo("CONTROL_NOT_APPLICABLE");
    }
    call.step(SteppedCall.FOREVER);
    List<Event> rest = call.log.rest();
    assertThat(rest)
        .filteredOn(Event::hasCanvasDelta)
        .flatExtracting(event -> event.getCanvasDelta().getSpansList())
        .noneMatch(span -> span.getState() == TokenState.TOKEN_STATE_PINNED);
    assertThat(rest.getLast().getFinished().getUsage().getCommittedTokens()).isEqualTo(100);
  }

  @Test
  void aControlAboutAnOldFrameIsRefusedOnlyIfItIsTooLate() throws Exception {
    call.open(canvasWithTokens());
    RecordingGate.Recorded session = call.session();
    call.step(2);
    call.log.next(KindCase.CANVAS_KEYFRAME);
    call.control(edit(1, 0, 1, "ab").setBasisFrame(1));
    call.await(() -> session.controls() == 1);
    applied(1);
    call.control(edit(2, 70, 1, "q").setBasisFrame(1)); // stands at 71 by now
    call.control(edit(3, 0, 1, "q").setBasisFrame(1)); // edited since
    call.control(edit(4, 0, 1, "q").setBasisFrame(1_000));
    call.await(() -> session.controls() == 3);
    io.sfumato.v1.Status unknown = rejection(4);
    assertThat(unknown.getCode()).isEqualTo(Code.INVALID_ARGUMENT.value());
    assertThat(unknown.getMessage()).startsWith("control.basis_frame: 1000 (expected: 0..");
    applied(2);
    io.sfumato.v1.Status stale = rejection(3);
    assertThat(stale.getCode()).isEqualTo(Code.ABORTED.value());
    assertThat(stale.getDetails(0).unpack(ErrorInfo.class).getReason()).isEqualTo("STALE_FRAME");
    call.step(SteppedCall.FOREVER);
    Event finished = call.log.next(KindCase.FINISHED);
    assertThat(finished.getFinished().getTokenIds(71)).isEqualTo('q');
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
    call.control(
        Control.newBuilder()
            .setControlId(6)
            .setPinSpans(PinSpans.newBuilder().addRanges(at(3, 2)).addRanges(at(4, 1))));
    assertThat(rejection(6).getMessage())
        .isEqualTo("control.pin_spans.ranges[1].start: 4 (expected: 5..99)");
    call.control(edit(7, 99, 2, "ab"));
    assertThat(rejection(7).getMessage())
        .isEqualTo("control.edit_span.range.length: 2 (expected: 1..1)");
    call.control(
        Control.newBuilder().setControlId(8).setUnpinSpans(UnpinSpans.getDefaultInstance()));
    assertThat(rejection(8).getMessage())
        .isEqualTo("control.unpin_spans.ranges: 0 ranges (expected: 1..1024)");
    call.control(Control.newBuilder().setControlId(9).setSetBudget(SetBudget.getDefaultInstance()));
    assertThat(rejection(9).getMessage())
        .isEqualTo("control.set_budget: empty (expected: one of its fields)");
    call.control(
        Control.newBuilder()
            .setControlId(10)
            .setReopenSpans(ReopenSpans.newBuilder().addRanges(at(0, 1)).setNoise(2)));
    assertThat(rejection(10).getMessage())
        .isEqualTo("control.reopen_spans.noise: 2 (expected: 0..1)");
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
      call.control(
          Control.newBuilder().setControlId(index).setSetBudget(SetBudget.getDefaultInstance()));
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
