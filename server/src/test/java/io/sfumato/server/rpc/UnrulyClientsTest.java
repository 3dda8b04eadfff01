package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status.Code;
import io.grpc.stub.StreamObserver;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import io.sfumato.v1.FinishNow;
import io.sfumato.v1.FrameAck;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.GenerationServiceGrpc.GenerationServiceStub;
import io.sfumato.v1.Pause;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.RequestKeyframe;
import io.sfumato.v1.StreamSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many clients at once that cancel, flood, say wrong things or do not read: each gets what is
 * right, and nothing is left behind.
 */
@Timeout(120)
class UnrulyClientsTest {

  private static final int CLIENTS = 150;

  @Test
  void theServerGoesOn() throws Exception {
    try (RpcFixture fixture = new RpcFixture(RpcFixture.Transport.NETTY, new TextScript(-1), 4)) {
      GenerationServiceStub stub = GenerationServiceGrpc.newStub(fixture.channel);
      Random random = new Random(11);
      List<Client> clients = new ArrayList<>();
      for (int index = 0; index < CLIENTS; index++) {
        Client client = new Client(stub, new Random(random.nextLong()));
        clients.add(client);
        if (random.nextInt(4) == 0) {
          clients.get(random.nextInt(clients.size())).disturb();
        }
      }
      int served = 0;
      for (Client client : clients) {
        client.disturb();
        served += client.check() ? 1 : 0;
      }
      assertThat(served).isGreaterThanOrEqualTo(4);
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (fixture.loop.load().running() > 0 || fixture.loop.waiting() > 0) {
        assertThat(System.nanoTime()).isLessThan(end);
        Thread.sleep(1);
      }
      assertThat(fixture.loop.isLost()).isFalse();
      EventLog<GenerateRequest> last = new EventLog<>();
      stub.generate(last).onNext(GenerateRequest.newBuilder().setStart(start()).build());
      assertThat(last.code()).isEqualTo(Code.OK);
    }
  }

  private static GenerateStart.Builder start() {
    return GenerateStart.newBuilder()
        .setPrompt(Prompt.newBuilder().setText("Hi"))
        .setStream(StreamSpec.newBuilder().setDetail(StreamSpec.Detail.DETAIL_CANVAS));
  }

  private static final class Client {

    private final Random random;
    private final EventLog<GenerateRequest> log;
    private final StreamObserver<GenerateRequest> requests;
    private final boolean slow;
    private boolean cancelled;
    private boolean wrong;
    private int controls;

    Client(GenerationServiceStub stub, Random random) {
      this.random = random;
      slow = random.nextInt(3) == 0;
      log = new EventLog<>(slow);
      requests = stub.generate(log);
      GenerateStart.Builder start = start();
      start
          .getSamplingBuilder()
          .setSeed(random.nextLong())
          .setMaxStepsPerBlock(1 + random.nextInt(32));
      if (random.nextInt(8) == 0) {
        wrong = true;
        start.getSamplingBuilder().setTemperature(7);
      }
      requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
    }

    void disturb() {
      if (cancelled) {
        return;
      }
      switch (random.nextInt(6)) {
        case 0 -> {
          cancelled = true;
          log.cancel();
        }
        case 1 -> {
          wrong = true;
          send(GenerateRequest.newBuilder().setFrameAck(FrameAck.newBuilder().setFrame(-1)));
        }
        case 2 -> {
          for (int count = random.nextInt(100); count > 0; count--) {
            control(Control.newBuilder().setPause(Pause.getDefaultInstance()));
          }
        }
        case 3 ->
            control(Control.newBuilder().setRequestKeyframe(RequestKeyframe.getDefaultInstance()));
        case 4 -> control(Control.newBuilder().setFinishNow(FinishNow.getDefaultInstance()));
        default -> {}
      }
    }

    private void control(Control.Builder control) {
      controls++;
      send(GenerateRequest.newBuilder().setControl(control.setControlId(controls)));
    }

    private void send(GenerateRequest.Builder request) {
      requests.onNext(request.build());
    }

    /** Whether the session ended well. */
    boolean check() throws InterruptedException {
      if (slow) {
        log.request(1_000_000);
      }
      if (!cancelled) {
        requests.onCompleted(); // a session that stands paused goes on
      }
      Code code = log.code();
      List<Event> events = log.rest();
      if (code == Code.OK) {
        CanvasReplica replica = new CanvasReplica();
        events.forEach(replica::take);
        assertThat(replica.committed.toString()).isEqualTo(replica.finished.getText());
        assertThat(replica.text()).isEqualTo(replica.finished.getText());
        assertThat(events)
            .filteredOn(event -> event.hasControlApplied() || event.hasControlRejected())
            .hasSizeLessThanOrEqualTo(controls);
      } else if (cancelled || wrong) {
        assertThat(code)
            .isIn(
                Code.RESOURCE_EXHAUSTED,
                cancelled ? Code.CANCELLED : Code.INVALID_ARGUMENT,
                wrong ? Code.INVALID_ARGUMENT : Code.CANCELLED);
      } else {
        assertThat(code).as("too many at once").isEqualTo(Code.RESOURCE_EXHAUSTED);
        assertThat(events).isEmpty();
      }
      return code == Code.OK;
    }
  }
}
