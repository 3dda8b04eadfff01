package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.SessionHandle;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/**
 * What a step costs the engine thread in garbage: the published canvas, and next to nothing else.
 */
final class StepAllocationTest {

  private static final int LENGTH = 256;
  private static final int CANVAS_BYTES =
      LENGTH * (4 + 4 + 4); // token, reference to the state, confidence

  @Test
  void aStepAllocatesTheCanvasItPublishesAndLittleMore() {
    LoopFixture fixture =
        new LoopFixture(LoopFixture.limits(4, 4, 4 * LENGTH), 4, StepAllocationTest::propose);
    for (int warmUp = 0; warmUp < 20; warmUp++) {
      open(fixture);
      fixture.finish();
    }
    open(fixture);
    fixture.loop.step();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long self = Thread.currentThread().threadId();
    long before = threads.getThreadAllocatedBytes(self);
    for (int step = 0; step < 200; step++) {
      fixture.loop.step();
    }
    long perStep = (threads.getThreadAllocatedBytes(self) - before) / 200;
    assertThat(perStep).isBetween((long) CANVAS_BYTES, CANVAS_BYTES + 512L);
  }

  private static SessionHandle open(LoopFixture fixture) {
    AcceptanceSpec oneByOne = new AcceptanceSpec.ConfidenceThreshold(1);
    return fixture.open(
        new Specs()
            .prompt()
            .length(LENGTH)
            .block(LENGTH)
            .steps(LENGTH, 1)
            .acceptance(oneByOne)
            .revision(.1f, 2));
  }

  private static void propose(long run, StepBatch batch, Candidates candidates) {
    for (int row = 0; row < batch.candidateCount(); row++) {
      candidates.set(row, 7, .5f, 7, .5f, .25f, 1, .9f);
    }
  }
}
