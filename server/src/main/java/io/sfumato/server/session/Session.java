package io.sfumato.server.session;

import static java.util.Objects.requireNonNull;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.error.ServingException;
import java.util.Arrays;

/**
 * One canvas on its way from a prompt to committed text: QUEUED, then PREFILLING (only where the
 * prompt stays in key-value pages), then SCORING (only for a draft of which the model chooses what
 * to rewrite), then DENOISING, and at last FINISHED, FAILED or CANCELLED.
 *
 * <p>The methods of {@link SessionHandle} are thread-safe; {@link #announce} is called before the
 * engine thread knows the session; all others are confined to the engine thread, in this order at
 * each step: {@link #boundary}, {@link #prepare}, {@link #write}, {@link #decide}.
 */
public final class Session implements SessionHandle {

  /** A running session shows a sign of life after this time without one. */
  public static final long PROGRESS_NANOS = 10_000_000_000L;

  private final String sessionId;
  private final SessionSpec spec;
  private final Runnable signal;
  private final Runnable wake;
  private final NanoClock clock;
  private final ControlQueue controls = new ControlQueue();
  private final Outbox outbox;
  private final Course denoiser;
  private final Pace pace = new Pace();
  private final Ending ending = new Ending();
  private final Steering steering;
  private final Milestones milestones;
  private long progressNanos;
  private int queuePosition;
  private volatile SessionState state = SessionState.QUEUED;
  private volatile boolean cancelled;
  private volatile int alternatives;

  /**
   * @param signal called when there may be something to {@link #poll}
   * @param wake called when the engine thread may have to look at the session
   */
  public Session(
      String sessionId,
      SessionSpec spec,
      ModelFacts model,
      Runnable signal,
      Runnable wake,
      NanoClock clock) {
    this.sessionId = requireNonNull(sessionId, "sessionId");
    this.spec = requireNonNull(spec, "spec");
    this.signal = requireNonNull(signal, "signal");
    this.wake = requireNonNull(wake, "wake");
    this.clock = requireNonNull(clock, "clock");
    denoiser = Course.of(spec, model);
    steering = new Steering(denoiser, pace, ending);
    outbox = new Outbox(2 + denoiser.canvas().blockCount() + ControlQueue.CAPACITY);
    milestones = new Milestones(clock.nanoTime());
    progressNanos = milestones.arrivalNanos();
    spec.softDeadlineNanos().ifPresent(nanos -> pace.softDeadline(progressNanos + nanos));
    alternatives = spec.alternatives();
  }

  @Override
  public String sessionId() {
    return sessionId;
  }

  @Override
  public void control(Control control) {
    controls.offer(requireNonNull(control, "control"));
    wake.run();
  }

  @Override
  public void showAlternatives(int count) {
    alternatives = count;
  }

  @Override
  public void cancel() {
    cancelled = true;
    outbox.close();
    wake.run();
  }

  @Override
  public SessionEvent poll() {
    SessionEvent event = outbox.poll();
    if (event instanceof SessionEvent.ControlApplied
        || event instanceof SessionEvent.ControlRejected) {
      controls.answered();
    }
    return event;
  }

  public SessionState state() {
    return state;
  }

  public SessionSpec spec() {
    return spec;
  }

  /** The first event: the session has a place, in the queue or (0) in the next step. */
  public void announce(int newQueuePosition) {
    queuePosition = newQueuePosition;
    outbox.add(new SessionEvent.Accepted(sessionId, newQueuePosition));
  }

  /**
   * Where the waiting session stands now; the client hears of it when that changed, or when it has
   * heard nothing for long.
   */
  public void queuedAt(int newQueuePosition) {
    if (newQueuePosition != queuePosition || clock.nanoTime() - progressNanos >= PROGRESS_NANOS) {
      queuePosition = newQueuePosition;
      progress();
      signal();
    }
  }

  /** The session has a slot. */
  public void begin() {
    if (queuePosition != 0) {
      queuePosition = 0;
      progress();
    }
    state = denoiser.state();
    commitDoneBlocks();
    signal();
  }

  /**
   * Takes note of what happened outside since the last step: cancellation, deadline, controls.
   *
   * @return whether the session goes on
   */
  public boolean boundary() {
    if (state.isOver()) {
      return false;
    }
    if (cancelled) {
      state = SessionState.CANCELLED;
      return false;
    }
    long now = clock.nanoTime();
    if (spec.deadlineNanos() != Long.MAX_VALUE && now - spec.deadlineNanos() >= 0) {
      fail(milestones.expired(state == SessionState.QUEUED, now));
      return false;
    }
    if (state == SessionState.QUEUED) {
      return true;
    }
    applyControls();
    if (!state.isOver() && pace.isPauseOver(now)) {
      resume();
    }
    if (!state.isOver() && now - progressNanos >= PROGRESS_NANOS) {
      progress();
      signal();
    }
    return !state.isOver();
  }

  /** Whether the session wants a step at this boundary. */
  public boolean wantsStep() {
    return !state.isOver() && !pace.isPaused();
  }

  private void resume() {
    pace.resume();
    commitDoneBlocks();
    signal();
  }

  private void applyControls() {
    if (controls.peek() == null) {
      return;
    }
    Canvas canvas = denoiser.canvas();
    int changes = canvas.changes();
    int committed = canvas.committedLength();
    for (Control control = nextControl(); control != null; control = nextControl()) {
      answer(control);
    }
    if (ending.isStopped()) {
      denoiser.endAt(canvas.blockStart());
      finish(FinishReason.STOP_TEXT, Math.min(ending.stoppedAt(), canvas.committedLength()));
    } else if (!pace.isPaused()) {
      commitDoneBlocks();
    }
    if (!state.isOver() && (canvas.changes() != changes || canvas.committedLength() != committed)) {
      outbox.publish(denoiser.snapshot());
    }
    signal();
  }

  /** Positions stand still while the model is asked about a draft: such controls wait for that. */
  private Control nextControl() {
    boolean waits = denoiser.isScoring() && controls.peek() instanceof Control.OnCanvas;
    return waits ? null : controls.poll();
  }

  private void answer(Control control) {
    SessionEvent answer;
    try {
      steering.apply(control, clock.nanoTime());
      answer = new SessionEvent.ControlApplied(control.controlId(), denoiser.totalSteps() + 1);
    } catch (ServingException refusal) {
      answer = new SessionEvent.ControlRejected(control.controlId(), refusal);
    }
    if (!ControlQueue.isInternal(control)) {
      outbox.add(answer);
    }
  }

  /**
   * Finishes the session with its best guess: one more step decides everything. For a server that
   * shuts down.
   */
  public void drain() {
    if (!state.isOver()) {
      ending.force(FinishReason.SERVER_DRAINING);
      denoiser.finish(Control.Scope.CANVAS);
      resume();
    }
  }

  /**
   * Chooses what to ask in the next step, if one is wanted.
   *
   * @param stepNanos expected between two steps as the load is now; 0 when not known
   */
  public void prepare(double stepNanos) {
    if (!wantsStep()) {
      return;
    }
    int stepsLeft = pace.stepsLeft(clock.nanoTime(), stepNanos);
    if (stepsLeft < 2) {
      denoiser.finish(Control.Scope.CANVAS);
      ending.force(FinishReason.SOFT_DEADLINE);
      if (endBeforeBlock()) {
        signal();
        return;
      }
    }
    denoiser.pace(stepsLeft);
    denoiser.considerAlternatives(alternatives);
    denoiser.prepare();
  }

  /** Work items of the prepared step. */
  public int items() {
    return denoiser.items();
  }

  /** Tokens of the prepared step. */
  public int tokens() {
    return denoiser.tokens();
  }

  /** Candidates of the prepared step. */
  public int candidates() {
    return denoiser.candidates();
  }

  /** Adds the prepared step to the batch; the session holds the given key-value pages. */
  public void write(StepBatch batch, int slot, int[] pages) {
    milestones.stepped(clock.nanoTime());
    denoiser.write(batch, slot, pages);
  }

  /** Applies the model's answer, commits what is done, and shows the canvas. */
  public void decide(Candidates candidates) {
    boolean decided = denoiser.decide(candidates);
    state = denoiser.state();
    long now = clock.nanoTime();
    pace.stepped(now);
    if (!decided) {
      return;
    }
    milestones.decided(now);
    if (!commitDoneBlocks()) {
      outbox.publish(denoiser.snapshot());
    }
    signal();
  }

  /**
   * @return whether that ended the session
   */
  private boolean commitDoneBlocks() {
    while (!state.isOver() && denoiser.blockIsDone()) {
      commitBlock();
    }
    return state.isOver() || endBeforeBlock();
  }

  private boolean endBeforeBlock() {
    if (denoiser.endsBeforeBlock()) {
      denoiser.endAt(denoiser.canvas().blockStart());
      finish(ending.reason(FinishReason.FINISHED_BY_CLIENT), denoiser.canvas().committedLength());
    }
    return state.isOver();
  }

  private void commitBlock() {
    Canvas canvas = denoiser.canvas();
    int block = canvas.block();
    int start = canvas.blockStart();
    int steps = denoiser.blockSteps();
    int end = denoiser.endOfText();
    FinishReason reason = null;
    if (end >= 0) {
      reason = denoiser.isStop(end) ? FinishReason.STOP_TOKEN : FinishReason.END_OF_TEXT;
      denoiser.endAt(end);
    } else if (ending.isAfterBlock() || denoiser.endsWithBlock()) {
      reason = FinishReason.FINISHED_BY_CLIENT;
      denoiser.endAt(canvas.blockEnd());
    } else {
      denoiser.commitBlock();
      if (canvas.isFinished()) {
        reason = FinishReason.MAX_LENGTH;
      }
    }
    outbox.add(new SessionEvent.BlockCommitted(block, start, canvas.committedTokens(start), steps));
    if (reason != null) {
      finish(ending.reason(reason), canvas.committedLength());
    }
  }

  private void finish(FinishReason reason, int length) {
    outbox.publish(denoiser.snapshot());
    Canvas canvas = denoiser.canvas();
    controls
        .close()
        .forEach(late ->
            outbox.add(new SessionEvent.ControlRejected(late.controlId(), ControlQueue.tooLate())));
    outbox.add(
        new SessionEvent.Finished(
            reason,
            Arrays.copyOf(canvas.committedTokens(0), length),
            denoiser.slotValues(length),
            canvas.history().revisedTokens(length),
            denoiser.sequence().usage(length),
            milestones.timing(clock.nanoTime())));
    state = SessionState.FINISHED;
  }

  /** Ends the session with an error. */
  public void fail(ServingException reason) {
    if (!state.isOver()) {
      state = SessionState.FAILED;
      controls.close();
      outbox.add(new SessionEvent.Failed(reason));
      signal();
    }
  }

  private void progress() {
    Canvas canvas = denoiser.canvas();
    progressNanos = clock.nanoTime();
    outbox.publish(
        new SessionEvent.Progress(
            queuePosition,
            canvas.block(),
            denoiser.totalSteps(),
            canvas.undecided(canvas.blockStart(), canvas.blockEnd())));
  }

  /** A client that cannot be told anything any more is gone. */
  private void signal() {
    try {
      signal.run();
    } catch (RuntimeException exception) {
      cancelled = true;
      outbox.close();
    }
  }

  /** What of the session the key-value pages hold; on the engine thread. */
  public KeptSequence sequence() {
    return denoiser.sequence();
  }

  /** The canvas; for checks after each step, on the engine thread. */
  public Canvas canvas() {
    return denoiser.canvas();
  }

  /** Steps so far; on the engine thread. */
  public int totalSteps() {
    return denoiser.totalSteps();
  }
}
