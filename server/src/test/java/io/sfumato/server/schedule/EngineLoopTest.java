package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineException;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineStatus;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.SessionState;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

final class EngineLoopTest {

  private static final AcceptanceSpec ONE_BY_ONE =
      new AcceptanceSpec.FixedSchedule(
          8, AcceptanceSpec.Order.LEFTMOST, AcceptanceSpec.Spread.EVEN);

  private static Specs slow() {
    return new Specs().length(8).acceptance(ONE_BY_ONE);
  }

  @Test
  void sessionsShareStepsAndLeaveWhenTheyAreDone() {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(4, 4, 400), 4);
    SessionHandle first = fixture.open(slow());
    fixture.loop.step();
    SessionHandle second = fixture.open(slow().seed(2).prompt(9));
    fixture.finish();
    assertThat(fixture.engine.runs()).isEqualTo(9); // 8 of the first, the second one step behind
    for (SessionHandle session : List.of(first, second)) {
      SessionEvent last = LoopFixture.drain(session).getLast();
      assertThat(last).isInstanceOf(SessionEvent.Finished.class);
      assertThat(((SessionEvent.Finished) last).tokens()).hasSize(8);
    }
    assertThat(fixture.loop.load().finished()).isEqualTo(2);
    assertThat(fixture.loop.load().tokens()).isEqualTo(8 * 11 + 8 * 9);
  }

  @Test
  void acceptedSaysWhoRunsAndWhoWaits() {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(1, 4, 400), 2);
    SessionHandle running = fixture.open(slow());
    SessionHandle next = fixture.open(slow());
    SessionHandle after = fixture.open(slow());
    assertThat(running.poll()).isEqualTo(new SessionEvent.Accepted("s1", 0));
    assertThat(next.poll()).isEqualTo(new SessionEvent.Accepted("s2", 1));
    assertThat(after.poll()).isEqualTo(new SessionEvent.Accepted("s3", 2));
    ServingException refusal =
        catchThrowableOfType(ServingException.class, () -> fixture.open(slow()));
    assertThat(refusal.reason()).isEqualTo(ErrorReason.QUEUE_FULL);
    assertThat(refusal).hasMessage("queue: 3 sessions (expected: <= 2)");
    for (int step = 0; step < 9; step++) {
      fixture.loop.step();
    }
    assertThat(LoopFixture.of(LoopFixture.drain(after), SessionEvent.Progress.class))
        .containsExactly(new SessionEvent.Progress(1, 0, 0, 8));
    assertThat(LoopFixture.of(LoopFixture.drain(next), SessionEvent.Progress.class))
        .first()
        .isEqualTo(new SessionEvent.Progress(0, 0, 0, 8));
    fixture.finish();
    assertThat(LoopFixture.drain(after).getLast()).isInstanceOf(SessionEvent.Finished.class);
  }

  @Test
  void aCancelledSessionCostsNoFurtherStepAndItsSlotIsUsedInTheNext() {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(1, 4, 400), 2);
    SessionHandle cancelled = fixture.open(slow());
    Session waiting = (Session) fixture.open(slow());
    fixture.loop.step();
    cancelled.cancel();
    assertThat(cancelled.poll()).isNull();
    fixture.loop.step();
    assertThat(fixture.engine.runs()).isEqualTo(2);
    assertThat(waiting.totalSteps()).isEqualTo(1);
    assertThat(fixture.loop.load().cancelled()).isEqualTo(1);
    fixture.finish();
    assertThat(fixture.engine.runs()).isEqualTo(9);
  }

  @Test
  void aSessionCancelledInTheQueueNeverRuns() {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(1, 4, 400), 2);
    fixture.open(slow());
    Session waiting = (Session) fixture.open(slow());
    fixture.loop.step();
    waiting.cancel();
    fixture.loop.step();
    assertThat(fixture.loop.waiting()).isZero();
    fixture.finish();
    assertThat(waiting.totalSteps()).isZero();
    assertThat(waiting.state()).isEqualTo(SessionState.CANCELLED);
  }

  @Test
  void deadlinesEndSessionsInTheQueueAndAtWork() {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(1, 4, 400), 2);
    SessionHandle working = fixture.open(slow().deadline(fixture.now() + 100));
    SessionHandle waiting = fixture.open(slow().deadline(fixture.now() + 50));
    fixture.loop.step();
    fixture.pass(60);
    fixture.loop.step();
    assertThat(reason(waiting)).isEqualTo(ErrorReason.EXPIRED_IN_QUEUE);
    assertThat(fixture.loop.waiting()).isZero();
    fixture.pass(60);
    fixture.loop.step();
    assertThat(reason(working)).isEqualTo(ErrorReason.EXPIRED_RUNNING);
    assertThat(fixture.engine.runs()).isEqualTo(2);
    ServingException late =
        catchThrowableOfType(
            ServingException.class, () -> fixture.open(slow().deadline(fixture.now())));
    assertThat(late.reason()).isEqualTo(ErrorReason.EXPIRED_IN_QUEUE);
    assertThat(fixture.loop.load().running()).isZero();
  }

  @Test
  void longRunningSessionsShowSignsOfLife() {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(1, 4, 400), 2);
    SessionHandle working = fixture.open(slow());
    SessionHandle waiting = fixture.open(slow());
    fixture.loop.step();
    LoopFixture.drain(waiting);
    LoopFixture.drain(working);
    fixture.pass(Session.PROGRESS_NANOS);
    fixture.loop.step();
    assertThat(waiting.poll()).isEqualTo(new SessionEvent.Progress(1, 0, 0, 8));
    assertThat(LoopFixture.drain(working)).contains(new SessionEvent.Progress(0, 0, 1, 7));
  }

  @Test
  void anEngineFaultEndsAllSessionsAndRefusesNewOnes() {
    LoopFixture fixture =
        new LoopFixture(
            LoopFixture.limits(1, 4, 400),
            2,
            (run, batch, candidates) -> {
              throw new EngineException(EngineStatus.INTERNAL, "device: lost (expected: there)");
            });
    SessionHandle working = fixture.open(slow());
    SessionHandle waiting = fixture.open(slow());
    assertThat(fixture.loop.step()).isFalse();
    assertThat(reason(working)).isEqualTo(ErrorReason.INTERNAL_FAULT);
    assertThat(reason(waiting)).isEqualTo(ErrorReason.ENGINE_LOST);
    assertThat(fixture.loop.isLost()).isTrue();
    assertThat(fixture.lost).isEqualTo(1);
    ServingException refusal =
        catchThrowableOfType(ServingException.class, () -> fixture.open(slow()));
    assertThat(refusal.reason()).isEqualTo(ErrorReason.ENGINE_LOST);
    fixture.loop.checkInvariants();
    assertThat(fixture.loop.drain()).isCompleted();
  }

  @Test
  void aRefusedStepFailsOnlyTheSessionToBlame() {
    HashScript hashes = new HashScript(LoopFixture.VOCABULARY, LoopFixture.END_OF_TEXT, 40);
    ScriptedEngine.Script picky =
        (run, batch, candidates) -> {
          for (int item = 0; item < batch.itemCount(); item++) {
            if (batch.tokens()[batch.item(item).tokenOffset()] == 13) {
              throw new EngineException(
                  EngineStatus.INVALID_ARGUMENT, "token: 13 (expected: luck)");
            }
          }
          hashes.propose(run, batch, candidates);
        };
    LoopFixture fixture = new LoopFixture(LoopFixture.limits(3, 4, 400), 2, picky);
    SessionHandle good = fixture.open(slow());
    SessionHandle bad = fixture.open(slow().prompt(13));
    SessionHandle alsoGood = fixture.open(slow().seed(4));
    fixture.finish();
    assertThat(reason(bad)).isEqualTo(ErrorReason.INTERNAL_FAULT);
    assertThat(LoopFixture.drain(good).getLast()).isInstanceOf(SessionEvent.Finished.class);
    assertThat(LoopFixture.drain(alsoGood).getLast()).isInstanceOf(SessionEvent.Finished.class);
    assertThat(fixture.loop.isLost()).isFalse();
  }

  @Test
  void aFaultInOneDecisionFailsOnlyThatSession() {
    HashScript hashes = new HashScript(LoopFixture.VOCABULARY, LoopFixture.END_OF_TEXT, 40);
    ScriptedEngine.Script corrupt =
        (run, batch, candidates) -> {
          hashes.propose(run, batch, candidates);
          for (int item = 0; item < batch.itemCount(); item++) {
            if (batch.item(item).seed() == 666) {
              candidates.set(batch.item(item).candidateOffset(), -5, 1, -5, 1, 0, 0, 0);
            }
          }
        };
    LoopFixture fixture = new LoopFixture(LoopFixture.limits(3, 4, 400), 2, corrupt);
    SessionHandle bad = fixture.open(slow().seed(666));
    SessionHandle good = fixture.open(slow());
    fixture.finish();
    assertThat(reason(bad)).isEqualTo(ErrorReason.INTERNAL_FAULT);
    assertThat(LoopFixture.drain(good).getLast()).isInstanceOf(SessionEvent.Finished.class);
  }

  @Test
  void aClientThatCannotBeSignalledIsGone() {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(1, 4, 400), 2);
    Session session =
        (Session)
            fixture.loop.open(
                slow().build(),
                () -> {
                  throw new IllegalStateException("call: closed");
                });
    fixture.finish();
    assertThat(session.state()).isEqualTo(SessionState.CANCELLED);
    assertThat(fixture.engine.runs()).isZero();
  }

  @Test
  void drainingCommitsTheBestGuessWithOneMoreStep() {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(1, 4, 400), 2);
    SessionHandle working = fixture.open(slow());
    SessionHandle waiting = fixture.open(slow());
    fixture.loop.step();
    assertThat(fixture.loop.drain()).isNotCompleted();
    fixture.finish();
    assertThat(fixture.loop.drain()).isCompleted();
    assertThat(fixture.engine.runs()).isEqualTo(2);
    SessionEvent.Finished finished = (SessionEvent.Finished) LoopFixture.drain(working).getLast();
    assertThat(finished.reason()).isEqualTo(FinishReason.SERVER_DRAINING);
    assertThat(finished.tokens()).hasSize(8);
    assertThat(reason(waiting)).isEqualTo(ErrorReason.SERVER_DRAINING);
    ServingException refusal =
        catchThrowableOfType(ServingException.class, () -> fixture.open(slow()));
    assertThat(refusal.reason()).isEqualTo(ErrorReason.SERVER_DRAINING);
  }

  @Test
  void aFaultWhileASessionGetsItsPlaceEndsItAndAllOthers() throws InterruptedException {
    EngineLimits limits = new EngineLimits(2, 4, 400, 400, 0, 64, 16);
    CountDownLatch lost = new CountDownLatch(1);
    EngineLoop loop =
        new EngineLoop(
            new ScriptedEngine(
                LoopFixture.info(AttentionKind.BLOCK_CAUSAL),
                limits,
                (run, batch, candidates) -> {}),
            new EngineLoopOptions("engine-test", 4, -1, Integer.MAX_VALUE, "s"),
            System::nanoTime,
            lost::countDown);
    SessionSpec without =
        new Specs()
            .prompt(new int[40])
            .causal(4, 0, false)
            .cacheSalt(null)
            .build(); // a bug of ours
    SessionHandle unlucky = loop.open(without, () -> {});
    SessionHandle behind =
        loop.open(
            new Specs().prompt(new int[40]).causal(4, 0, false).cacheSalt("").build(), () -> {});
    loop.start();
    assertThat(lost.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(reason(unlucky)).isEqualTo(ErrorReason.INTERNAL_FAULT);
    assertThat(reason(behind)).isEqualTo(ErrorReason.INTERNAL_FAULT);
    loop.close();
  }

  @Test
  void aThreadOfItsOwnServesAndEndsOnClose() throws InterruptedException {
    LoopFixture fixture = LoopFixture.withHashes(LoopFixture.limits(2, 4, 400), 2);
    fixture.loop.start();
    CountDownLatch done = new CountDownLatch(2);
    for (int index = 0; index < 2; index++) {
      Session[] session = new Session[1];
      Session opened =
          (Session)
              fixture.loop.open(
                  slow().build(),
                  () -> {
                    if (session[0] != null && session[0].state() == SessionState.FINISHED) {
                      done.countDown();
                    }
                  });
      session[0] = opened;
      if (opened.state() == SessionState.FINISHED) {
        done.countDown();
      }
    }
    assertThat(done.await(20, TimeUnit.SECONDS)).isTrue();
    SessionHandle unlucky =
        fixture.open(
            new Specs()
                .length(300)
                .steps(5000, 1)
                .acceptance(new AcceptanceSpec.ConfidenceThreshold(1)));
    fixture.loop.close();
    SessionEvent last = LoopFixture.drain(unlucky).getLast();
    assertThat(last).isInstanceOfAny(SessionEvent.Failed.class, SessionEvent.Finished.class);
  }

  @Test
  void refusesEnginesItCannotServe() {
    EngineLoopOptions options = new EngineLoopOptions("engine-test", 1, -1, 0, "s");
    ScriptedEngine causal =
        new ScriptedEngine(
            LoopFixture.info(AttentionKind.BLOCK_CAUSAL),
            LoopFixture.limits(1, 1, 10),
            (run, batch, candidates) -> {});
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EngineLoop(causal, options, () -> 0, () -> {}))
        .withMessage("pages: 0 (expected: >= 1 for BLOCK_CAUSAL)");
    ScriptedEngine encoder =
        new ScriptedEngine(
            LoopFixture.info(AttentionKind.ENCODER_CANVAS),
            new EngineLimits(1, 1, 7, 7, 0, 8, 16),
            (run, batch, candidates) -> {});
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new EngineLoop(encoder, options, () -> 0, () -> {}))
        .withMessage(
            "batch_tokens: 7 with candidates for each (expected: 8 or more, the model's canvas)");
    ScriptedEngine full =
        new ScriptedEngine(
            LoopFixture.info(AttentionKind.FULL),
            LoopFixture.limits(1, 1, 10),
            (run, batch, candidates) -> {});
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            new EngineLoop(
                full, new EngineLoopOptions("engine-test", 1, 64, 0, "s"), () -> 0, () -> {}))
        .withMessage("mask_token_id: 64 (expected: 0..63)");
  }

  private static ErrorReason reason(SessionHandle session) {
    return ((SessionEvent.Failed) LoopFixture.drain(session).getLast()).reason().reason();
  }
}
