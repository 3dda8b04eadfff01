package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.ScriptedEngine;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/** Soft deadlines on a clock that every engine step moves by as much as its tokens take. */
final class SoftDeadlineTest {

  private static final long MILLISECOND = 1_000_000;
  private static final long TOKEN_NANOS = 100_000;
  private static final int LENGTH = 97; // with the prompt 100 tokens: 10 ms a step alone
  private static final AcceptanceSpec ONE_BY_ONE =
      new AcceptanceSpec.FixedSchedule(
          LENGTH, AcceptanceSpec.Order.LEFTMOST, AcceptanceSpec.Spread.EVEN);

  private LoopFixture fixture;

  private void open(int slots) {
    HashScript hashes = new HashScript(LoopFixture.VOCABULARY, -1, 1);
    ScriptedEngine.Script script =
        (run, batch, candidates) -> {
          fixture.pass(batch.tokenCount() * TOKEN_NANOS);
          hashes.propose(run, batch, candidates);
        };
    fixture = new LoopFixture(LoopFixture.limits(slots, 16, 2000), 100, script);
  }

  private static Specs slow() {
    return new Specs().length(LENGTH).block(LENGTH).steps(LENGTH, 1).acceptance(ONE_BY_ONE);
  }

  private static SessionEvent.Finished finished(SessionHandle session) {
    return (SessionEvent.Finished) LoopFixture.drain(session).getLast();
  }

  @Test
  void theBestGuessIsCommittedInTime() {
    open(1);
    finishWarmUp();
    for (int milliseconds : new int[] {20, 60, 150, 400, 900}) {
      SessionHandle session = fixture.open(slow().softDeadline(milliseconds * MILLISECOND));
      long start = fixture.now();
      fixture.finish();
      SessionEvent.Finished finished = finished(session);
      assertThat(finished.tokens()).hasSize(LENGTH);
      assertThat(finished.timing().totalNanos()).isLessThan(milliseconds * MILLISECOND);
      assertThat(fixture.now() - start).isGreaterThan(milliseconds * MILLISECOND / 3);
    }
  }

  /** Teaches the load gauge what a step costs. */
  private void finishWarmUp() {
    fixture.open(slow().steps(3, 1));
    fixture.finish();
  }

  @Test
  void timeEnoughChangesNothing() {
    open(1);
    SessionHandle with = fixture.open(slow().softDeadline(10_000 * MILLISECOND));
    fixture.finish();
    SessionHandle without = fixture.open(slow());
    fixture.finish();
    SessionEvent.Finished finished = finished(with);
    assertThat(finished.reason()).isEqualTo(FinishReason.MAX_LENGTH);
    assertThat(finished.tokens()).isEqualTo(finished(without).tokens());
  }

  @Test
  void aLoadedEngineLeavesFewerSteps() {
    open(8);
    finishWarmUp();
    List<SessionHandle> sessions = new ArrayList<>();
    for (int index = 0; index < 8; index++) {
      sessions.add(fixture.open(slow().seed(index).softDeadline(300 * MILLISECOND)));
    }
    fixture.finish();
    for (SessionHandle session : sessions) {
      SessionEvent.Finished finished = finished(session);
      assertThat(finished.timing().totalNanos()).isLessThan(300 * MILLISECOND);
      assertThat(finished.tokens()).hasSize(LENGTH);
      assertThat(finished.usage().forwardPasses()).isBetween(2, 4); // 80 ms each
    }
  }

  @Test
  void aDeadlineMayComeLater() {
    open(1);
    finishWarmUp();
    SessionHandle session = fixture.open(slow());
    for (int step = 0; step < 5; step++) {
      fixture.loop.step();
    }
    session.control(
        new Control.SetBudget(
            1, OptionalInt.empty(), OptionalLong.of(100 * MILLISECOND), Optional.empty()));
    long asked = fixture.now();
    fixture.finish();
    assertThat(fixture.now() - asked).isLessThan(100 * MILLISECOND);
    SessionEvent.Finished finished = finished(session);
    assertThat(finished.reason()).isIn(FinishReason.SOFT_DEADLINE, FinishReason.MAX_LENGTH);
    assertThat(finished.usage().forwardPasses()).isBetween(6, 15);
  }

  @Test
  void aPauseEndsBeforeTheSoftDeadlineAndInAnyCaseAfterTenMinutes() {
    open(1);
    finishWarmUp();
    SessionHandle hurried = fixture.open(slow().softDeadline(200 * MILLISECOND));
    fixture.loop.step();
    fixture.loop.step();
    hurried.control(new Control.Pause(1));
    assertThat(fixture.loop.step()).isFalse();
    for (int tick = 0; tick < 30 && !fixture.loop.step(); tick++) {
      fixture.pass(10 * MILLISECOND);
    }
    fixture.finish();
    assertThat(finished(hurried).timing().totalNanos()).isLessThan(200 * MILLISECOND);

    SessionHandle forgotten = fixture.open(slow());
    fixture.loop.step();
    forgotten.control(new Control.Pause(1));
    assertThat(fixture.loop.step()).isFalse();
    fixture.pass(599_000 * MILLISECOND);
    assertThat(fixture.loop.step()).isFalse();
    fixture.pass(1_000 * MILLISECOND);
    assertThat(fixture.loop.step()).isTrue();
    fixture.finish();
    assertThat(finished(forgotten).tokens()).hasSize(LENGTH);
  }
}
