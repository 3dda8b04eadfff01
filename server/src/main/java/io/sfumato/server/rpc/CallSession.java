package io.sfumato.server.rpc;

import static java.util.Objects.requireNonNull;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.Control.Resume;
import io.sfumato.server.session.Control.StopAt;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * One call and its session: takes what the client says, and sends what the session has to say as
 * fast as the client reads.
 *
 * <p>Thread-safe: everything runs on the call's serial executor, which alone touches the sink.
 * Nothing is fetched from the session while the transport is full, so a slow client gets fewer,
 * fresher canvases and costs one of them.
 */
final class CallSession {

  /**
   * Answers that may be on their way before the next control is read: a flooding client is slowed
   * by the transport.
   */
  private static final int MOST_UNANSWERED = 16;

  /** Negative: the session does not answer it. */
  private static final long STOP_TEXT_CONTROL = -1;

  private static final long RESUME_CONTROL = -2;

  private enum Phase {
    BEFORE_START,
    RUNNING,
    ENDED
  }

  private final EventSink sink;
  private final CallContext context;
  private final Executor serial;
  private final AtomicBoolean drainDue = new AtomicBoolean();
  private final Deque<Supplier<Event.Builder>> answers = new ArrayDeque<>();

  private Phase phase = Phase.BEFORE_START;
  private SessionHandle session;
  private EventWriter writer;
  private FramePacer pacer;
  private FrameLog frames;
  private ControlReader controls;
  private StreamSettings stream;
  private CanvasSnapshot newest; // the last canvas of the session
  private boolean newestIsDue; // not shown yet
  private boolean keyframeDue;
  private long openedNanos;
  private int unanswered;
  private boolean messageDue;

  /**
   * @param serial runs one task at a time, in order
   */
  CallSession(EventSink sink, CallContext context, Executor serial) {
    this.sink = requireNonNull(sink, "sink");
    this.context = requireNonNull(context, "context");
    this.serial = requireNonNull(serial, "serial");
  }

  /** The client said something. */
  void receive(ClientMessage message) {
    execute(() -> handle(message));
  }

  /** The client has nothing more to say; the session goes on. */
  void halfClose() {
    execute(() -> {
      if (phase == Phase.BEFORE_START) {
        throw unexpected("start: absent (expected: the first message)");
      }
      session.control(new Resume(RESUME_CONTROL)); // nobody is left who could ask for it
    });
  }

  /** The client is gone. */
  void cancel() {
    execute(this::end);
  }

  /** There may be something to send, or room for it. Never blocks; any thread. */
  void signal() {
    if (drainDue.compareAndSet(false, true)) {
      execute(() -> {
        drainDue.set(false);
        drain();
      });
    }
  }

  private void execute(Runnable task) {
    try {
      serial.execute(() -> {
        try {
          if (phase != Phase.ENDED) {
            task.run();
          }
        } catch (Throwable error) {
          fail(error);
        }
      });
    } catch (RejectedExecutionException closed) {
      // The server is gone and all its calls with it.
      return;
    }
  }

  private void handle(ClientMessage message) {
    if (phase == Phase.BEFORE_START && !(message instanceof ClientMessage.Start)) {
      throw unexpected("start: absent (expected: the first message)");
    }
    messageDue = true;
    switch (message) {
      case ClientMessage.Start start -> start(start);
      case ClientMessage.Wish wish -> wish(wish.control());
      case ClientMessage.Receipt receipt -> pacer.acknowledge(receipt.frame());
      case ClientMessage.Nothing nothing ->
          throw unexpected("message: empty (expected: start, control or frame_ack)");
    }
    drain();
  }

  private void start(ClientMessage.Start start) {
    if (phase != Phase.BEFORE_START) {
      throw unexpected("start: second (expected: the first message, exactly once)");
    }
    SessionPlan plan = start.plan().get();
    stream = plan.stream();
    frames = new FrameLog();
    controls = new ControlReader(plan, frames);
    writer = new EventWriter(plan, new FrameWriter(plan.model().text().map(context::canvasText)));
    pacer = new FramePacer();
    openedNanos = context.clock().nanoTime();
    session = plan.model().sessions().open(plan.spec(), this::signal);
    phase = Phase.RUNNING;
  }

  private void wish(Control control) {
    unanswered++;
    int controlId = control.getControlId();
    try {
      switch (controls.read(control)) {
        case ControlReader.ForSession wanted -> session.control(wanted.control());
        case ControlReader.Keyframe keyframe -> {
          keyframeDue = true;
          answers.add(() -> writer.appliedNow(controlId));
        }
        case ControlReader.Stream wanted -> {
          keyframeDue |= stream.looksDifferent(wanted.settings());
          stream = wanted.settings();
          session.showAlternatives(stream.alternatives());
          answers.add(() -> writer.appliedNow(controlId));
        }
      }
    } catch (ServingException refusal) {
      answers.add(() -> writer.rejected(controlId, context.statuses().toMessage(refusal)));
    }
  }

  private void drain() {
    while (phase == Phase.RUNNING && sink.isReady()) {
      if (!answers.isEmpty()) {
        send(answers.remove().get());
        unanswered--;
      } else if (!showCanvas(false)) {
        SessionEvent event = session.poll();
        if (event == null) {
          break;
        }
        deliver(event);
      }
    }
    if (phase == Phase.RUNNING && messageDue && unanswered < MOST_UNANSWERED) {
      messageDue = false;
      sink.requestMessage();
    }
  }

  private void deliver(SessionEvent event) {
    switch (event) {
      case SessionEvent.Accepted accepted -> send(writer.accepted(accepted));
      case SessionEvent.Progress progress -> send(writer.progress(progress));
      case SessionEvent.CanvasChanged changed -> {
        newest = changed.snapshot();
        newestIsDue = true;
        writer.passed(newest);
      }
      case SessionEvent.BlockCommitted committed -> commit(committed);
      case SessionEvent.ControlApplied applied -> {
        unanswered--;
        send(writer.applied((int) applied.controlId(), applied.step()));
      }
      case SessionEvent.ControlRejected rejected -> {
        unanswered--;
        send(
            writer.rejected(
                (int) rejected.controlId(), context.statuses().toMessage(rejected.reason())));
      }
      case SessionEvent.Finished finished -> finish(finished);
      case SessionEvent.Failed failed -> fail(failed.reason());
    }
  }

  private void commit(SessionEvent.BlockCommitted committed) {
    boolean stoppedBefore = writer.isStopped();
    writer
        .committed(committed, stream)
        .filter(event -> stream.showsCommits())
        .ifPresent(this::send);
    if (writer.isStopped() && !stoppedBefore) {
      session.control(new StopAt(STOP_TEXT_CONTROL, writer.stoppedAt().getAsInt()));
    }
  }

  /** Shows the newest canvas, if there is a reason to. */
  private boolean showCanvas(boolean last) {
    if (newest == null) {
      return false;
    }
    boolean wanted = newestIsDue && stream.showsCanvas() && (last || !writer.isStopped());
    long now = context.clock().nanoTime();
    if (!keyframeDue && !(wanted && (last || pacer.allows(newest, stream, now)))) {
      return false;
    }
    newestIsDue = false;
    boolean whole = keyframeDue;
    keyframeDue = false;
    writer
        .frame(newest, stream, whole)
        .ifPresent(event -> {
          send(event);
          pacer.sent(newest, writer.lastFrame(), now);
          frames.sent(newest);
        });
    return true;
  }

  private void finish(SessionEvent.Finished finished) {
    showCanvas(true);
    writer.heldBack().filter(event -> stream.showsCommits()).ifPresent(this::send);
    send(writer.finished(finished, stream));
    phase = Phase.ENDED;
    sink.complete();
  }

  private void fail(Throwable error) {
    if (phase != Phase.ENDED) {
      end();
      sink.fail(context.statuses().toException(error));
    }
  }

  private void end() {
    phase = Phase.ENDED;
    if (session != null) {
      session.cancel();
    }
  }

  private void send(Event.Builder event) {
    sink.send(writer.number(event, elapsed()));
  }

  private long elapsed() {
    return context.clock().nanoTime() - openedNanos;
  }

  private static ServingException unexpected(String message) {
    return new ServingException(ErrorReason.UNEXPECTED_MESSAGE, message);
  }
}
