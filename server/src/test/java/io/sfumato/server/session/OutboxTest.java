package io.sfumato.server.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sfumato.server.canvas.Alternatives;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OutboxTest {

  @Test
  void aCanvasComesAfterWhatHappenedBeforeItAndOnlyTheNewest() {
    Outbox outbox = new Outbox(10);
    SessionEvent first = new SessionEvent.ControlApplied(1, 1);
    SessionEvent second = new SessionEvent.ControlApplied(2, 1);
    SessionEvent third = new SessionEvent.ControlApplied(3, 1);
    outbox.add(first);
    outbox.publish(canvas(1));
    outbox.add(second);
    outbox.publish(canvas(2));
    outbox.add(third);
    assertThat(outbox.poll()).isEqualTo(first);
    assertThat(outbox.poll()).isEqualTo(second);
    assertThat(((SessionEvent.CanvasChanged) outbox.poll()).snapshot().totalSteps()).isEqualTo(2);
    assertThat(outbox.poll()).isEqualTo(third);
    assertThat(outbox.poll()).isNull();
  }

  @Test
  void signsOfLifeAreConflatedToo() {
    Outbox outbox = new Outbox(1);
    for (int position = 5; position > 0; position--) {
      outbox.publish(new SessionEvent.Progress(position, 0, 0, 8));
    }
    assertThat(outbox.poll()).isEqualTo(new SessionEvent.Progress(1, 0, 0, 8));
    assertThat(outbox.poll()).isNull();
  }

  @Test
  void isBoundedAndForgetsEverythingWhenClosed() {
    Outbox outbox = new Outbox(1);
    outbox.add(new SessionEvent.ControlApplied(1, 1));
    assertThatIllegalStateException()
        .isThrownBy(() -> outbox.add(new SessionEvent.ControlApplied(2, 1)));
    outbox.publish(canvas(1));
    outbox.close();
    outbox.add(new SessionEvent.ControlApplied(3, 1));
    assertThat(outbox.poll()).isNull();
  }

  @Test
  void aFastReaderAndAWriterLoseNothing() throws InterruptedException {
    Outbox outbox = new Outbox(10_000);
    Thread writer =
        new Thread(() -> {
          for (int index = 0; index < 10_000; index++) {
            outbox.add(new SessionEvent.ControlApplied(index, 1));
            outbox.publish(canvas(index));
          }
        });
    writer.start();
    List<Long> controls = new ArrayList<>();
    int newest = -1;
    while (controls.size() < 10_000 || newest < 9_999) {
      switch (outbox.poll()) {
        case SessionEvent.ControlApplied applied -> controls.add(applied.controlId());
        case SessionEvent.CanvasChanged changed -> {
          assertThat(changed.snapshot().totalSteps())
              .isGreaterThan(newest)
              .isLessThan(controls.size());
          newest = changed.snapshot().totalSteps();
        }
        case null, default -> Thread.onSpinWait();
      }
    }
    writer.join();
    assertThat(controls).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void controlsAreBoundedUntilTheirAnswersAreFetched() {
    ControlQueue controls = new ControlQueue();
    for (int id = 0; id < ControlQueue.CAPACITY; id++) {
      controls.offer(new Control.StopAfterBlock(id));
    }
    ServingException refusal =
        catchThrowableOfType(
            ServingException.class, () -> controls.offer(new Control.StopAfterBlock(64)));
    assertThat(refusal.reason()).isEqualTo(ErrorReason.TOO_MANY_CONTROLS);
    assertThat(controls.poll().controlId()).isZero();
    assertThat(
            catchThrowableOfType(
                ServingException.class, () -> controls.offer(new Control.StopAfterBlock(65))))
        .isNotNull();
    controls.answered();
    assertThatCode(() -> controls.offer(new Control.StopAfterBlock(66))).doesNotThrowAnyException();
  }

  @Test
  void internalControlsAlwaysFitAndTheFirstOfAKindCounts() {
    ControlQueue controls = new ControlQueue();
    for (int length = 5; length < 1000; length++) {
      controls.offer(new Control.StopAt(-1, length));
    }
    assertThat(controls.poll()).isEqualTo(new Control.StopAt(-1, 5));
    assertThat(controls.poll()).isNull();
  }

  private static CanvasSnapshot canvas(int step) {
    return new CanvasSnapshot(
        0,
        step,
        step,
        0,
        new int[] {1},
        new TokenState[] {TokenState.PROVISIONAL},
        new float[1],
        new Alternatives[0]);
  }
}
