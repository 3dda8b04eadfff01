package io.sfumato.server.schedule;

import static java.util.Objects.requireNonNull;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineException;
import io.sfumato.engine.EngineStatus;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.ModelFacts;
import io.sfumato.server.session.NanoClock;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionGate;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Shares one engine among sessions, step by step: at every step boundary sessions join and leave,
 * then the planner chooses who is in the step, the engine runs it, and each session decides about
 * its own candidates.
 *
 * <p>{@link #open}, {@link #stopAdmitting}, {@link #drain}, {@link #close} and the gauges are
 * thread-safe. Everything else happens on the one thread that {@link #start} makes; without it,
 * whoever calls {@link #step} is the engine thread.
 *
 * <p>An exception in one session's part fails that session only. A fault of the engine fails all
 * sessions, and no new ones are admitted.
 */
public final class EngineLoop implements SessionGate, AutoCloseable {

  private static final Logger LOG = System.getLogger(EngineLoop.class.getName());

  /** How late the deadline of a paused session may be noticed. */
  private static final long PAUSED_CHECK_NANOS = 10_000_000;

  private final DenoiseEngine engine;
  private final EngineLoopOptions options;
  private final NanoClock clock;
  private final Runnable whenLost;
  private final ModelFacts model;
  private final AdmissionRules rules;
  private final AdmissionQueue queue;
  private final LoadGauge load;
  private final RunningSessions running;
  private final StepBatch batch;
  private final AtomicLong sessionNumber = new AtomicLong();
  private final CompletableFuture<Void> drained = new CompletableFuture<>();
  private final List<Session> granted = new ArrayList<>();
  private final List<Seat> chosen = new ArrayList<>();
  private volatile Thread thread;
  private volatile boolean draining;
  private volatile boolean closing;
  private volatile boolean lost;
  private boolean ended; // the engine is closed

  /**
   * Takes ownership of the engine.
   *
   * @param whenLost called once on the engine thread when the engine has failed for good; must not
   *     block
   */
  public EngineLoop(
      DenoiseEngine engine, EngineLoopOptions options, NanoClock clock, Runnable whenLost) {
    this.engine = requireNonNull(engine, "engine");
    this.options = requireNonNull(options, "options");
    this.clock = requireNonNull(clock, "clock");
    this.whenLost = requireNonNull(whenLost, "whenLost");
    rules = new AdmissionRules(engine.info(), engine.limits());
    model = rules.facts(options.maskToken());
    queue =
        new AdmissionQueue(
            engine.limits().slots(), engine.limits().pages(), options.queueCapacity());
    load = new LoadGauge(engine.limits().slots());
    running =
        new RunningSessions(
            engine.limits(), queue, load, this::resetSlot, options.prefixCacheTokens());
    batch = new StepBatch(engine.limits());
  }

  @Override
  public SessionHandle open(SessionSpec spec, Runnable signal) {
    rules.check(spec);
    if (spec.deadlineNanos() != Long.MAX_VALUE && clock.nanoTime() - spec.deadlineNanos() >= 0) {
      throw new ServingException(
          ErrorReason.EXPIRED_IN_QUEUE, "deadline: passed (expected: in the future)");
    }
    String sessionId = options.sessionPrefix() + sessionNumber.incrementAndGet();
    Session session = new Session(sessionId, spec, model, signal, this::wake, clock);
    queue.offer(session, rules.pages(spec), load.nextPlaceNanos());
    wake();
    return session;
  }

  /** Starts the engine thread. */
  public void start() {
    Thread engineThread = new Thread(this::run, options.threadName());
    thread = engineThread;
    engineThread.start();
  }

  private void run() {
    try {
      while (!closing) {
        if (step()) {
          continue;
        }
        if (running.count() > 0) {
          LockSupport.parkNanos(this, PAUSED_CHECK_NANOS);
        } else {
          LockSupport.park(this);
        }
      }
    } catch (RuntimeException | Error fault) {
      lose(fault);
    } finally {
      end();
    }
  }

  private void wake() {
    LockSupport.unpark(thread); // nothing happens while there is none
  }

  /**
   * Does the work of one step boundary and one step. For the engine thread, and for programs that
   * drive the loop themselves.
   *
   * @return whether sessions took part; false when there is nothing to do until someone comes, or
   *     all are paused
   */
  public boolean step() {
    if (lost) {
      return false;
    }
    long startNanos = clock.nanoTime();
    boundary();
    if (running.count() == 0) {
      return false;
    }
    double stepNanos = load.tokenNanos() * running.tokens();
    forEachRunning(session -> session.prepare(stepNanos));
    removeEnded();
    running.plan(chosen);
    if (chosen.isEmpty()) {
      return running.count() == 0; // someone may have come to a free place
    }
    if (runChosen()) {
      load.stepped(batch.tokenCount(), clock.nanoTime() - startNanos);
    }
    removeEnded();
    return !lost;
  }

  private void boundary() {
    if (draining) {
      queue.removeWaiting().forEach(session -> session.fail(drainingRefusal()));
    }
    forEachRunning(Session::boundary);
    removeEnded();
    queue.sweep();
    admit();
    if (draining) {
      forEachRunning(Session::drain);
      removeEnded();
      if (running.count() == 0) {
        drained.complete(null);
      }
    }
  }

  private void admit() {
    queue.drainGranted(granted);
    while (!granted.isEmpty()) {
      Session session = granted.getFirst(); // not forgotten where its place fails
      running.seat(session, rules.pages(session.spec()), clock.nanoTime());
      granted.removeFirst();
      guard(session, Session::begin);
      guard(session, Session::boundary);
      removeEnded(); // one that ended at once makes room for the next
      queue.drainGranted(granted);
    }
  }

  private void forEachRunning(Consumer<Session> part) {
    for (int index = 0; index < running.count(); index++) {
      guard(running.session(index), part);
    }
  }

  private void removeEnded() {
    running.removeEnded(clock.nanoTime());
  }

  private void resetSlot(int slot) {
    if (!lost) {
      engine.resetSlot(slot);
    }
  }

  /**
   * @return whether the engine ran
   */
  private boolean runChosen() {
    if (!writeChosen()) {
      return false;
    }
    Candidates candidates;
    try {
      candidates = engine.run(batch);
    } catch (EngineException refusal) {
      if (refusal.status() != EngineStatus.INVALID_ARGUMENT
          && refusal.status() != EngineStatus.FAILED_PRECONDITION) {
        lose(refusal);
        return false;
      }
      return runOneByOne(refusal);
    } catch (RuntimeException | Error fault) {
      lose(fault);
      return false;
    }
    for (int index = 0; index < chosen.size(); index++) {
      Seat seat = chosen.get(index);
      Session session = seat.session();
      if (!session.state().isOver() && guard(session, decided -> decided.decide(candidates))) {
        running.share(seat);
      }
    }
    return true;
  }

  /**
   * @return whether anything is in the batch
   */
  private boolean writeChosen() {
    batch.clear();
    for (int index = 0; index < chosen.size(); index++) {
      Seat seat = chosen.get(index);
      if (seat.session().state().isOver()) {
        continue;
      }
      if (!guard(
          seat.session(), session -> session.write(batch, seat.slot(), seat.pages().pages()))) {
        return writeChosen(); // without the one that failed, which may have left half an item
      }
    }
    return batch.itemCount() > 0;
  }

  /**
   * The engine refused the step, so a session asked for something it may not: fails that one, and
   * lets the others go on.
   */
  private boolean runOneByOne(EngineException refusal) {
    if (chosen.size() == 1) {
      failInternally(chosen.getFirst().session(), refusal);
      return false;
    }
    boolean ran = false;
    for (Seat seat : List.copyOf(chosen)) {
      chosen.clear();
      chosen.add(seat);
      ran |= !lost && runChosen();
    }
    return ran;
  }

  /** Runs one session's part; its failure is its own. */
  private boolean guard(Session session, Consumer<Session> part) {
    try {
      part.accept(session);
      return true;
    } catch (RuntimeException exception) {
      failInternally(session, exception);
      return false;
    }
  }

  private void failInternally(Session session, Throwable cause) {
    LOG.log(Level.ERROR, "session " + session.sessionId() + " failed", cause);
    session.fail(internalFault(session, "a fault of the server, noted in its log", cause));
  }

  /** The engine is gone for good. */
  private void lose(Throwable cause) {
    LOG.log(Level.ERROR, options.threadName() + " failed; its sessions end", cause);
    lost = true;
    queue.close(ErrorReason.ENGINE_LOST, "engine: lost (expected: one that runs)");
    for (Session session : queue.removeWaiting()) {
      session.fail(
          new ServingException(ErrorReason.ENGINE_LOST, "engine: lost while the session waited"));
    }
    queue.drainGranted(granted);
    granted.forEach(session -> session.fail(engineFault(session, cause)));
    granted.clear();
    forEachRunning(session -> session.fail(engineFault(session, cause)));
    removeEnded();
    drained.complete(null);
    whenLost.run();
  }

  private static ServingException engineFault(Session session, Throwable cause) {
    return internalFault(session, "the engine failed, noted in the log", cause);
  }

  private static ServingException internalFault(Session session, String what, Throwable cause) {
    return new ServingException(
        ErrorReason.INTERNAL_FAULT, "session " + session.sessionId() + ": " + what, cause);
  }

  /** Refuses new sessions from now on; those that run or wait go on. */
  public void stopAdmitting() {
    queue.close(ErrorReason.SERVER_DRAINING, "server: draining (expected: another server)");
  }

  /**
   * Refuses new sessions, ends those that wait, and lets those that run commit their best guess
   * with one more step.
   *
   * @return completes when no session is left
   */
  public CompletableFuture<Void> drain() {
    stopAdmitting();
    draining = true;
    wake();
    return drained;
  }

  private static ServingException drainingRefusal() {
    return new ServingException(
        ErrorReason.SERVER_DRAINING,
        "server: draining before the session had its turn (expected: another server)");
  }

  /** Ends everything at the next step boundary, sessions included, and closes the engine. */
  @Override
  public void close() {
    stopAdmitting();
    closing = true;
    Thread engineThread = thread;
    if (engineThread == null) {
      end();
      return;
    }
    wake();
    try {
      engineThread.join();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void end() {
    if (ended) {
      return;
    }
    ended = true;
    stopAdmitting();
    queue.removeWaiting().forEach(session -> session.fail(drainingRefusal()));
    queue.drainGranted(granted);
    granted.forEach(session -> session.fail(drainingRefusal()));
    forEachRunning(session -> session.fail(drainingRefusal()));
    drained.complete(null);
    engine.close();
  }

  /** Whether the engine has failed for good. */
  public boolean isLost() {
    return lost;
  }

  /** Sessions that wait for a slot. */
  public int waiting() {
    return queue.waiting();
  }

  public LoadGauge load() {
    return load;
  }

  /**
   * Checks slots and pages; on the engine thread.
   *
   * @throws IllegalStateException when a count is wrong
   */
  public void checkInvariants() {
    running.check();
  }
}
