package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status.Code;
import io.sfumato.v1.Event;
import io.sfumato.v1.Event.KindCase;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.StreamSpec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Clients over Netty that do not take every frame: they get fewer, fresher ones, and all commits.
 */
@Timeout(60)
class SlowClientTest {

  private final SteppedCall call = new SteppedCall();

  SlowClientTest() throws IOException {}

  @AfterEach
  void close() {
    call.close();
  }

  @Test
  void noMoreFramesThanAreAcknowledged() throws Exception {
    GenerateStart.Builder start = SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS);
    start.getStreamBuilder().setMaxUnackedFrames(2);
    call.open(start);
    call.step(1);
    assertThat(call.log.next(KindCase.CANVAS_KEYFRAME).getCanvasKeyframe().getFrame()).isEqualTo(1);
    call.step(1);
    assertThat(call.log.next().getCanvasDelta().getFrame()).isEqualTo(2);
    call.step(8);
    call.awaitRuns(11); // the last of them is only begun
    Thread.sleep(200);
    assertThat(call.log.waiting()).isZero();
    call.acknowledge(1);
    Event third = call.log.next();
    assertThat(third.getCanvasDelta().getFrame()).isEqualTo(3);
    assertThat(third.getStep()).as("the newest, not the next").isGreaterThanOrEqualTo(10);
    call.acknowledge(4);
    assertThat(call.log.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(call.log.error()).hasMessageContaining("frame_ack.frame: 4 (expected: 1..3)");
  }

  @Test
  void everyNStepsAndKeyframesByCount() throws Exception {
    GenerateStart.Builder start = SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS);
    start.getStreamBuilder().setEveryNSteps(10).setKeyframeEveryNFrames(2);
    call.open(start);
    List<Event> frames = new ArrayList<>();
    int due = 1;
    for (int step = 1; step <= 100; step++) {
      call.step(1);
      call.awaitRuns(step);
      if (step == due) {
        frames.add(nextFrame());
        due = frames.getLast().getStep() + 10;
      }
    }
    for (Event event : call.log.rest()) {
      if (isFrame(event)) {
        frames.add(event);
      }
    }
    assertThat(frames).hasSizeBetween(10, 13);
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

  private Event nextFrame() throws Exception {
    Event event = call.log.next();
    while (!isFrame(event)) {
      event = call.log.next();
    }
    return event;
  }

  private static boolean isFrame(Event event) {
    return event.hasCanvasDelta() || event.hasCanvasKeyframe();
  }

  @Test
  void aClientThatDoesNotReadGetsFewerFramesAndAllCommits() throws Exception {
    EventLog<GenerateRequest> slow = new EventLog<>(true);
    GenerateStart.Builder start = SteppedCall.start(StreamSpec.Detail.DETAIL_CANVAS);
    start.getCanvasBuilder().setMaxLengthTokens(500);
    start.getSamplingBuilder().setMaxStepsPerBlock(250).getFixedScheduleBuilder().setSteps(250);
    start.getCanvasBuilder().setBlockLengthTokens(250);
    start
        .getStreamBuilder()
        .setKeyframeEveryNFrames(1)
        .setIncludeTokenIds(true)
        .setIncludeConfidences(true);
    call.open(slow);
    call.requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
    call.step(SteppedCall.FOREVER);
    call.awaitRuns(500);
    slow.request(SteppedCall.FOREVER);
    CanvasReplica replica = new CanvasReplica();
    for (Event event : slow.rest()) {
      replica.take(event);
    }
    assertThat(slow.code()).isEqualTo(Code.OK);
    assertThat(replica.frames).isLessThan(500);
    assertThat(replica.committed.toString()).isEqualTo(replica.finished.getText());
    assertThat(replica.text()).isEqualTo(replica.finished.getText());
  }
}
