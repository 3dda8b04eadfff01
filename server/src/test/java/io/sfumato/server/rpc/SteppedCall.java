package io.sfumato.server.rpc;

import io.grpc.stub.StreamObserver;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event.KindCase;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.FrameAck;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.GenerationServiceGrpc.GenerationServiceStub;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.SamplingSpec;
import io.sfumato.v1.StreamSpec;
import java.io.IOException;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;

/**
 * A Generate call to a server of one place, over Netty, whose engine takes a step when the test
 * says so. For one thread.
 */
final class SteppedCall implements AutoCloseable {

  static final int FOREVER = 1_000_000;

  final RpcFixture fixture;
  final GenerationServiceStub stub;
  final EventLog<GenerateRequest> log = new EventLog<>();
  StreamObserver<GenerateRequest> requests;

  private final SteppedScript script = new SteppedScript();

  SteppedCall() throws IOException {
    fixture = new RpcFixture(RpcFixture.Transport.NETTY, script, 1);
    stub = GenerationServiceGrpc.newStub(fixture.channel);
  }

  /** Takes as many steps as it is given. */
  private static final class SteppedScript implements ScriptedEngine.Script {

    private final TextScript text = new TextScript(-1);
    private final Semaphore steps = new Semaphore(0);

    @Override
    public void propose(long run, StepBatch batch, Candidates candidates) {
      steps.acquireUninterruptibly();
      text.propose(run, batch, candidates);
    }
  }

  /** A canvas of two blocks that decides one token per step, 100 in all. */
  static GenerateStart.Builder start(StreamSpec.Detail detail) {
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

  /** Opens the call without saying anything. */
  void openEmpty() {
    open(log);
  }

  /** As {@link #openEmpty}, with another reader. */
  void open(EventLog<GenerateRequest> reader) {
    requests = stub.generate(reader);
  }

  void open(GenerateStart.Builder start) {
    openEmpty();
    requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
  }

  void control(Control.Builder control) {
    requests.onNext(GenerateRequest.newBuilder().setControl(control).build());
  }

  void acknowledge(int frame) {
    requests.onNext(
        GenerateRequest.newBuilder().setFrameAck(FrameAck.newBuilder().setFrame(frame)).build());
  }

  /** Lets the engine take so many steps. */
  void step(int count) {
    script.steps.release(count);
  }

  /** The session of the call, once it is accepted. */
  RecordingGate.Recorded session() throws InterruptedException {
    return fixture.gate.session(log.next(KindCase.ACCEPTED).getAccepted().getSessionId());
  }

  void await(BooleanSupplier condition) throws InterruptedException {
    RpcFixture.await(condition);
  }

  void awaitIdle() throws InterruptedException {
    await(() -> fixture.loop.load().running() == 0 && fixture.loop.waiting() == 0);
  }

  /** Waits until the engine has begun so many steps. */
  void awaitRuns(int runs) throws InterruptedException {
    await(() -> fixture.engine.runs() >= runs);
  }

  @Override
  public void close() {
    step(FOREVER);
    fixture.close();
  }
}
