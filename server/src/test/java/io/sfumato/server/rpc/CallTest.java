package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;

import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Status.Code;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.Control;
import io.sfumato.v1.EditSpan;
import io.sfumato.v1.Event;
import io.sfumato.v1.Event.KindCase;
import io.sfumato.v1.FinishNow;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.FrameAck;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.GenerationServiceGrpc.GenerationServiceStub;
import io.sfumato.v1.Pause;
import io.sfumato.v1.PinSpans;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.ReopenSpans;
import io.sfumato.v1.RequestKeyframe;
import io.sfumato.v1.Resume;
import io.sfumato.v1.SamplingSpec;
import io.sfumato.v1.SetBudget;
import io.sfumato.v1.StopAfterBlock;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.UnpinSpans;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * One call over Netty: what a client may say and when, and what becomes of it. The test decides
 * when the engine takes a step.
 */
@Timeout(60)
class CallTest {

  private static final int FOREVER = 1_000_000;

  private final SteppedScript script = new SteppedScript();
  private final RpcFixture fixture;
  private final GenerationServiceStub stub;
  private final EventLog<GenerateRequest> log = new EventLog<>();
  private StreamObserver<GenerateRequest> requests;

  CallTest() throws Exception {
    fixture = new RpcFixture(RpcFixture.Transport.NETTY, script, 1);
    stub = GenerationServiceGrpc.newStub(fixture.channel);
  }

  @AfterEach
  void close() {
    script.steps.release(FOREVER);
    fixture.close();
  }

  /** Takes as many steps as it is given, for long canvases that decide one token each. */
  private static final class SteppedScript implements ScriptedEngine.Script {

    private final TextScript text = new TextScript(-1);
    final Semaphore steps = new Semaphore(0);

    @Override
    public void propose(long run, StepBatch batch, Candidates candidates) {
      steps.acquireUninterruptibly();
      text.propose(run, batch, candidates);
    }
  }

  private static GenerateStart.Builder start(StreamSpec.Detail detail) {
    return GenerateStart.newBuilder()
        .setPrompt(Prompt.newBuilder().setText("Hi"))
        .setCanvas(CanvasSpec.newBuilder().setMaxLengthTokens(100).setBlockLengthTokens(50))
        .setSampling(
            SamplingSpec.newBuilder()
                .setSeed(1)
                .setMaxStepsPerBlock(50)
                .setFixedSchedule(FixedSchedule.newBuilder().setSteps(50)))
        .setStream(StreamSpec.newBuilder().setDetail(detail));
  }

  private void open(GenerateStart.Builder start) {
    requests = stub.generate(log);
    requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
  }

  private void control(Control.Builder control) {
    requests.onNext(GenerateRequest.newBuilder().setControl(control).build());
  }

  private void acknowledge(int frame) {
    requests.onNext(
        GenerateRequest.newBuilder().setFrameAck(FrameAck.newBuilder().setFrame(frame)).build());
  }

  private void step(int count) {
    script.steps.release(count);
  }

  @Test
  void acceptedEchoesWhatIsInEffect() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_CANVAS));
    Event event = log.next();
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
  void halfCloseMeansNoMoreControlsAndTheGenerationGoesOn() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_COMMITTED));
    requests.onCompleted();
    log.next(KindCase.ACCEPTED);
    step(FOREVER);
    List<Event> rest = log.rest();
    assertThat(log.code()).isEqualTo(Code.OK);
    assertThat(rest.get(rest.size() - 1).getFinished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_MAX_LENGTH);
  }

  @Test
  void cancellingFreesThePlaceAtTheNextStep() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_CANVAS));
    RecordingGate.Recorded session = session();
    step(1);
    log.next(KindCase.CANVAS_KEYFRAME);
    log.cancel();
    await(session::isCancelled);
    step(1); // the one that the engine had begun
    awaitIdle();
    assertThat(fixture.engine.runs()).isLessThanOrEqualTo(2);
    EventLog<GenerateRequest> second = new EventLog<>();
    StreamObserver<GenerateRequest> secondRequests = stub.generate(second);
    secondRequests.onNext(
        GenerateRequest.newBuilder().setStart(start(StreamSpec.Detail.DETAIL_COMMITTED)).build());
    step(FOREVER);
    assertThat(second.code()).isEqualTo(Code.OK);
  }

  @Test
  void theFirstMessageMustBeStart() throws Exception {
    requests = stub.generate(log);
    control(
        Control.newBuilder()
            .setControlId(1)
            .setRequestKeyframe(RequestKeyframe.getDefaultInstance()));
    refused("start: absent (expected: the first message)");
  }

  @Test
  void startComesOnce() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_CANVAS));
    requests.onNext(
        GenerateRequest.newBuilder().setStart(start(StreamSpec.Detail.DETAIL_CANVAS)).build());
    refused("start: second (expected: the first message, exactly once)");
  }

  @Test
  void anEmptyMessageIsRefused() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_CANVAS));
    requests.onNext(GenerateRequest.getDefaultInstance());
    refused("message: empty (expected: start, control or frame_ack)");
  }

  @Test
  void aCallWithoutAnyMessageIsRefused() throws Exception {
    requests = stub.generate(log);
    requests.onCompleted();
    refused("start: absent (expected: the first message)");
  }

  private void refused(String message) throws Exception {
    assertThat(log.code()).isEqualTo(Code.INVALID_ARGUMENT);
    com.google.rpc.Status status = StatusProto.fromThrowable(log.error());
    assertThat(status.getMessage()).isEqualTo(message);
    assertThat(status.getDetails(0).unpack(ErrorInfo.class).getReason())
        .isEqualTo("UNEXPECTED_MESSAGE");
  }

  @Test
  void finishNowCommitsTheBestGuess() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_CANVAS));
    RecordingGate.Recorded session = session();
    step(1);
    log.next(KindCase.CANVAS_KEYFRAME);
    control(Control.newBuilder().setControlId(5).setFinishNow(FinishNow.getDefaultInstance()));
    await(() -> session.controls() == 1);
    step(2); // the one that the engine had begun, and the last
    Event applied = log.next(KindCase.CONTROL_APPLIED);
    assertThat(applied.getControlApplied().getControlId()).isEqualTo(5);
    assertThat(applied.getControlApplied().getStep()).isBetween(1, 2);
    Event finished = log.next(KindCase.FINISHED);
    assertThat(finished.getFinished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_FINISHED_BY_CLIENT);
    assertThat(finished.getFinished().getUsage().getCommittedTokens()).isEqualTo(100);
    assertThat(finished.getStep()).isEqualTo(applied.getControlApplied().getStep() + 1);
    assertThat(log.code()).isEqualTo(Code.OK);
  }

  @Test
  void stopAfterBlockEndsThere() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_COMMITTED));
    RecordingGate.Recorded session = session();
    control(
        Control.newBuilder()
            .setControlId(5)
            .setStopAfterBlock(StopAfterBlock.getDefaultInstance()));
    await(() -> session.controls() == 1);
    step(FOREVER);
    Event finished = log.next(KindCase.FINISHED);
    assertThat(finished.getFinished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_FINISHED_BY_CLIENT);
    assertThat(finished.getFinished().getUsage().getCommittedTokens()).isEqualTo(50);
  }

  @Test
  void whatIsNotBuiltIsRefusedByAnEventAndTheStreamGoesOn() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_COMMITTED));
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
      control(controls.get(index).setControlId(index + 1));
    }
    for (int index = 0; index < controls.size(); index++) {
      Event event = log.next(KindCase.CONTROL_REJECTED);
      assertThat(event.getControlRejected().getControlId()).isEqualTo(index + 1);
      io.sfumato.v1.Status status = event.getControlRejected().getStatus();
      assertThat(status.getCode()).isEqualTo(Code.UNIMPLEMENTED.value());
      assertThat(status.getDetails(0).unpack(ErrorInfo.class).getReason()).isEqualTo("NOT_BUILT");
      String field = controls.get(index).getActionCase().name().toLowerCase(java.util.Locale.ROOT);
      assertThat(status.getDetails(1).unpack(BadRequest.class).getFieldViolations(0).getField())
          .isEqualTo("control." + field);
    }
    step(FOREVER);
    assertThat(log.code()).isEqualTo(Code.OK);
  }

  @Test
  void malformedControlsAreRefusedByAnEvent() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_COMMITTED));
    control(Control.newBuilder().setControlId(3));
    assertThat(log.next(KindCase.CONTROL_REJECTED).getControlRejected().getStatus().getMessage())
        .isEqualTo("control.action: absent (expected: one of its fields)");
    control(Control.newBuilder().setFinishNow(FinishNow.getDefaultInstance()));
    assertThat(log.next(KindCase.CONTROL_REJECTED).getControlRejected().getStatus().getMessage())
        .isEqualTo("control.control_id: 0 (expected: 1 or more)");
    control(
        Control.newBuilder().setControlId(4).setFinishNow(FinishNow.newBuilder().setScopeValue(9)));
    assertThat(log.next(KindCase.CONTROL_REJECTED).getControlRejected().getStatus().getMessage())
        .isEqualTo("control.finish_now.scope: 9 (expected: a value of FinishNow.Scope)");
    control(
        Control.newBuilder()
            .setControlId(5)
            .setSetStream(StreamSpec.newBuilder().setEveryNSteps(0)));
    assertThat(log.next(KindCase.CONTROL_REJECTED).getControlRejected().getStatus().getMessage())
        .isEqualTo("control.set_stream.every_n_steps: 0 (expected: 1..4096)");
  }

  @Test
  void aKeyframeComesOnRequestWhateverTheDetail() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_FINAL_ONLY));
    control(
        Control.newBuilder()
            .setControlId(1)
            .setRequestKeyframe(RequestKeyframe.getDefaultInstance()));
    log.next(KindCase.CONTROL_APPLIED);
    step(1);
    Event keyframe = log.next(KindCase.CANVAS_KEYFRAME);
    assertThat(keyframe.getCanvasKeyframe().getFrame()).isEqualTo(1);
    step(FOREVER);
    assertThat(log.rest()).extracting(Event::getKindCase).containsOnly(KindCase.FINISHED);
  }

  @Test
  void setStreamChangesWhatIsShownFromThenOn() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_FINAL_ONLY));
    log.next(KindCase.ACCEPTED);
    control(
        Control.newBuilder()
            .setControlId(1)
            .setSetStream(
                StreamSpec.newBuilder()
                    .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
                    .setIncludeTokenIds(true)));
    assertThat(log.next().getKindCase()).isEqualTo(KindCase.CONTROL_APPLIED);
    step(1);
    assertThat(log.next(KindCase.CANVAS_KEYFRAME).getCanvasKeyframe().getSpansList())
        .anyMatch(span -> span.getTokenIdsCount() > 0);
    step(1);
    log.next(KindCase.CANVAS_DELTA);
    control(
        Control.newBuilder()
            .setControlId(2)
            .setSetStream(StreamSpec.newBuilder().setDetail(StreamSpec.Detail.DETAIL_CANVAS)));
    log.next(KindCase.CONTROL_APPLIED);
    step(1);
    assertThat(log.next(KindCase.CANVAS_KEYFRAME).getCanvasKeyframe().getSpansList())
        .noneMatch(span -> span.getTokenIdsCount() > 0);
  }

  @Test
  void noMoreFramesThanAreAcknowledged() throws Exception {
    GenerateStart.Builder start = start(StreamSpec.Detail.DETAIL_CANVAS);
    start.getStreamBuilder().setMaxUnackedFrames(2);
    open(start);
    step(1);
    assertThat(log.next(KindCase.CANVAS_KEYFRAME).getCanvasKeyframe().getFrame()).isEqualTo(1);
    step(1);
    assertThat(log.next().getCanvasDelta().getFrame()).isEqualTo(2);
    step(8);
    awaitRuns(11); // the last of them is only begun
    Thread.sleep(200);
    assertThat(log.waiting()).isZero();
    acknowledge(1);
    Event third = log.next();
    assertThat(third.getCanvasDelta().getFrame()).isEqualTo(3);
    assertThat(third.getStep()).as("the newest, not the next").isGreaterThanOrEqualTo(10);
    acknowledge(4);
    assertThat(log.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(log.error()).hasMessageContaining("frame_ack.frame: 4 (expected: 1..3)");
  }

  @Test
  void everyNStepsAndKeyframesByCount() throws Exception {
    GenerateStart.Builder start = start(StreamSpec.Detail.DETAIL_CANVAS);
    start.getStreamBuilder().setEveryNSteps(10).setKeyframeEveryNFrames(2);
    open(start);
    List<Event> frames = new ArrayList<>();
    for (int step = 1; step <= 100; step++) {
      step(1);
      awaitRuns(step);
    }
    for (Event event : log.rest()) {
      if (event.hasCanvasDelta() || event.hasCanvasKeyframe()) {
        frames.add(event);
      }
    }
    assertThat(frames).hasSizeBetween(3, 13);
    for (int index = 0; index < frames.size(); index++) {
      assertThat(frames.get(index).hasCanvasKeyframe())
          .as("frame %s", index + 1)
          .isEqualTo(index % 2 == 0);
    }
    for (int index = 1; index < frames.size() - 1; index++) {
      int before = frames.get(index - 1).getStep();
      int steps = frames.get(index).getStep() - before;
      assertThat(steps).isGreaterThanOrEqualTo(before < 50 ? Math.min(10, 50 - before) : 10);
    }
  }

  @Test
  void aClientThatDoesNotReadGetsFewerFramesAndAllCommits() throws Exception {
    EventLog<GenerateRequest> slow = new EventLog<>(true);
    GenerateStart.Builder start = start(StreamSpec.Detail.DETAIL_CANVAS);
    start.getCanvasBuilder().setMaxLengthTokens(500);
    start.getSamplingBuilder().setMaxStepsPerBlock(250).getFixedScheduleBuilder().setSteps(250);
    start.getCanvasBuilder().setBlockLengthTokens(250);
    start
        .getStreamBuilder()
        .setKeyframeEveryNFrames(1)
        .setIncludeTokenIds(true)
        .setIncludeConfidences(true);
    requests = stub.generate(slow);
    requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
    step(FOREVER);
    awaitRuns(500);
    slow.request(FOREVER);
    CanvasReplica replica = new CanvasReplica();
    for (Event event : slow.rest()) {
      replica.take(event);
    }
    assertThat(slow.code()).isEqualTo(Code.OK);
    assertThat(replica.frames).isLessThan(500);
    assertThat(replica.committed.toString()).isEqualTo(replica.finished.getText());
    assertThat(replica.text()).isEqualTo(replica.finished.getText());
  }

  @Test
  void aFloodOfControlsIsSlowedAndAnsweredInFull() throws Exception {
    EventLog<GenerateRequest> slow = new EventLog<>(true);
    requests = stub.generate(slow);
    requests.onNext(
        GenerateRequest.newBuilder().setStart(start(StreamSpec.Detail.DETAIL_FINAL_ONLY)).build());
    int flood = 5000;
    for (int index = 1; index <= flood; index++) {
      control(Control.newBuilder().setControlId(index).setPause(Pause.getDefaultInstance()));
    }
    slow.request(1);
    assertThat(slow.next().hasAccepted()).isTrue();
    slow.request(FOREVER);
    for (int index = 1; index <= flood; index++) {
      assertThat(slow.next().getControlRejected().getControlId()).isEqualTo(index);
    }
    step(FOREVER);
    assertThat(slow.code()).isEqualTo(Code.OK);
  }

  @Test
  void aQueuedSessionSaysSoAndThenRuns() throws Exception {
    open(start(StreamSpec.Detail.DETAIL_COMMITTED));
    log.next(KindCase.ACCEPTED);
    EventLog<GenerateRequest> second = new EventLog<>();
    StreamObserver<GenerateRequest> secondRequests = stub.generate(second);
    secondRequests.onNext(
        GenerateRequest.newBuilder().setStart(start(StreamSpec.Detail.DETAIL_FINAL_ONLY)).build());
    Event accepted = second.next();
    assertThat(accepted.getAccepted().getState())
        .isEqualTo(io.sfumato.v1.Accepted.State.STATE_QUEUED);
    assertThat(accepted.getAccepted().getQueuePosition()).isEqualTo(1);
    step(FOREVER);
    assertThat(second.next(KindCase.PROGRESS).getProgress().getRunning().getUndecidedTokens())
        .isEqualTo(50);
    assertThat(second.code()).isEqualTo(Code.OK);
  }

  @Test
  void aClientThatBreaksOffWhileItsStartIsReadLeavesNothingBehind() {
    for (int round = 0; round < 50; round++) {
      EventLog<GenerateRequest> brief = new EventLog<>();
      StreamObserver<GenerateRequest> briefRequests = stub.generate(brief);
      briefRequests.onNext(
          GenerateRequest.newBuilder().setStart(start(StreamSpec.Detail.DETAIL_CANVAS)).build());
      brief.cancel();
    }
    step(FOREVER);
    assertThatNoException().isThrownBy(this::awaitIdle);
  }

  private interface Condition {
    boolean holds();
  }

  private static void await(Condition condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (!condition.holds()) {
      assertThat(System.nanoTime()).as("10 s").isLessThan(end);
      Thread.sleep(1);
    }
  }

  private void awaitIdle() throws InterruptedException {
    await(() -> fixture.loop.load().running() == 0 && fixture.loop.waiting() == 0);
  }

  private void awaitRuns(int runs) throws InterruptedException {
    await(() -> fixture.engine.runs() >= runs);
  }

  /** The session of the call, once it is accepted. */
  private RecordingGate.Recorded session() throws InterruptedException {
    return fixture.gate.session(log.next(KindCase.ACCEPTED).getAccepted().getSessionId());
  }
}
