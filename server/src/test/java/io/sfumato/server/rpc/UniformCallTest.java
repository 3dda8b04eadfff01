package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status.Code;
import io.grpc.stub.StreamObserver;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.schedule.HashScript;
import io.sfumato.server.text.ByteCodec;
import io.sfumato.v1.Accepted;
import io.sfumato.v1.Capabilities;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.GetModelRequest;
import io.sfumato.v1.JointEdit;
import io.sfumato.v1.Model;
import io.sfumato.v1.ModelServiceGrpc;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.RefineRequest;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.Segment;
import io.sfumato.v1.SetBudget;
import io.sfumato.v1.StreamSpec;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Calls of a model whose undecided positions hold random tokens. */
@Timeout(60)
class UniformCallTest {

  private final HashScript script = new HashScript(ByteCodec.END, -1, 1); // bytes only
  private final CountDownLatch begin = new CountDownLatch(1);
  private final RpcFixture fixture = RpcFixture.uniform(this::propose);
  private final GenerationServiceGrpc.GenerationServiceStub stub =
      GenerationServiceGrpc.newStub(fixture.channel);

  UniformCallTest() throws IOException {}

  private void propose(long run, StepBatch batch, Candidates candidates) {
    try {
      begin.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
    script.propose(run, batch, candidates);
  }

  @AfterEach
  void close() {
    begin.countDown();
    fixture.close();
  }

  private static GenerateStart.Builder start() {
    return GenerateStart.newBuilder()
        .setPrompt(Prompt.newBuilder().setText("Hi"))
        .setStream(
            StreamSpec.newBuilder()
                .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
                .setIncludeTokenIds(true));
  }

  @Test
  void theModelTellsWhatItCanDo() {
    Model model =
        ModelServiceGrpc.newBlockingStub(fixture.channel)
            .getModel(GetModelRequest.getDefaultInstance())
            .getModel();
    Capabilities can = model.getCapabilities();
    assertThat(can.getNoise()).isEqualTo(Capabilities.Noise.NOISE_UNIFORM);
    assertThat(can.getFixedBlockLengthTokens()).isEqualTo(8);
    assertThat(can.getRefine()).isTrue();
    assertThat(can.getTokenizer()).isTrue();
    assertThat(can.getTemplates()).isFalse();
    assertThat(can.getRevision()).isFalse();
    assertThat(can.getJointEdit()).isFalse();
    assertThat(can.getGuidance()).isFalse();
    assertThat(model.getDefaultSampling().hasTemperature()).isFalse();
    assertThat(model.getDefaultSampling().getTemperatureSchedule().getFirst()).isEqualTo(.8f);
    assertThat(model.getDefaultSampling().getTemperatureSchedule().getLast()).isEqualTo(.4f);
    assertThat(model.getDefaultSampling().getEntropyBound().getBound()).isEqualTo(.1f);
    assertThat(model.getDefaultSampling().getStabilityStop().getStableSteps()).isEqualTo(1);
    assertThat(model.getDefaultSampling().getStabilityStop().getMeanEntropy()).isEqualTo(.005f);
  }

  @Test
  void aCanvasComesIntoFocusBlockByBlock() throws Exception {
    GenerateStart.Builder start = start();
    start.getSamplingBuilder().setTemperature(.5f).getStabilityStopBuilder().setStableSteps(3);
    EventLog<GenerateRequest> log = new EventLog<>();
    StreamObserver<GenerateRequest> requests = stub.generate(log);
    requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
    requests.onCompleted();
    begin.countDown();
    List<Event> events = log.rest();
    assertThat(log.code()).isEqualTo(Code.OK);
    Accepted accepted = events.getFirst().getAccepted();
    assertThat(accepted.getCanvas().getMaxLengthTokens()).isEqualTo(20);
    assertThat(accepted.getCanvas().getBlockLengthTokens()).isEqualTo(8);
    assertThat(accepted.getSampling().getTemperature()).isEqualTo(.5f);
    assertThat(accepted.getSampling().hasTemperatureSchedule()).isFalse();
    assertThat(accepted.getSampling().getStabilityStop().getStableSteps()).isEqualTo(3);
    assertThat(accepted.getSampling().getStabilityStop().getMeanEntropy()).isEqualTo(.005f);
    CanvasReplica replica = new CanvasReplica();
    events.forEach(replica::take);
    assertThat(replica.finished.getReason()).isEqualTo(FinishReason.FINISH_REASON_MAX_LENGTH);
    assertThat(replica.finished.getUsage().getCommittedTokens()).isEqualTo(20);
    assertThat(events.stream().filter(event -> event.getBlockCommitted().hasSpan())).hasSize(3);
  }

  @Test
  void lockedSegmentsStayAndABudgetWithoutAMeaningIsRefused() throws Exception {
    RefineStart.Builder start =
        RefineStart.newBuilder()
            .addSegments(Segment.newBuilder().setText("ab").setMode(Segment.Mode.MODE_LOCKED))
            .addSegments(Segment.newBuilder().setText("rewritten"))
            .addSegments(Segment.newBuilder().setText("yz").setMode(Segment.Mode.MODE_LOCKED))
            .setStream(start().getStream());
    EventLog<RefineRequest> log = new EventLog<>();
    StreamObserver<RefineRequest> requests = stub.refine(log);
    requests.onNext(RefineRequest.newBuilder().setStart(start).build());
    Control.Builder control =
        Control.newBuilder()
            .setControlId(1)
            .setSetBudget(SetBudget.newBuilder().setJointEdit(JointEdit.getDefaultInstance()));
    requests.onNext(RefineRequest.newBuilder().setControl(control).build());
    Event rejected = log.next(Event.KindCase.CONTROL_REJECTED);
    assertThat(rejected.getControlRejected().getStatus().getCode())
        .isEqualTo(Code.FAILED_PRECONDITION.value());
    assertThat(rejected.getControlRejected().getStatus().getMessage())
        .contains("joint_edit: set (expected: absent with a model of uniform noise)");
    requests.onCompleted();
    begin.countDown();
    List<Event> rest = log.rest();
    assertThat(log.code()).isEqualTo(Code.OK);
    assertThat(rest.getLast().getFinished().getText()).startsWith("ab").endsWith("yz");
    assertThat(rest.getLast().getFinished().getUsage().getCommittedTokens()).isEqualTo(13);
  }
}
