package io.sfumato.server.rpc;

import com.google.protobuf.util.Durations;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.Template;
import io.sfumato.server.session.Usage;
import io.sfumato.server.text.CommittedText;
import io.sfumato.v1.BlockCommitted;
import io.sfumato.v1.ControlApplied;
import io.sfumato.v1.ControlRejected;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.Span;
import io.sfumato.v1.Status;
import io.sfumato.v1.TokenState;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Writes a session's events as messages, and turns tokens into text. Confined to one call.
 *
 * <p>After a stop text nothing more of the session is shown but its end.
 */
final class EventWriter {

  private final SessionPlan plan;
  private final Optional<CommittedText> committed;
  private final FrameWriter frames;
  private long sequence;
  private int step;
  private int block;
  private int committedSteps;

  EventWriter(SessionPlan plan, FrameWriter frames) {
    this.plan = plan;
    this.frames = frames;
    committed = plan.model().text().map(codec -> new CommittedText(codec, plan.stops()));
  }

  Event.Builder accepted(SessionEvent.Accepted event) {
    return Event.newBuilder().setAccepted(ProtoMapper.accepted(event, plan));
  }

  Event.Builder progress(SessionEvent.Progress event) {
    return Event.newBuilder().setProgress(ProtoMapper.progress(event));
  }

  /** A frame of the canvas, unless the client already sees all of it. */
  Optional<Event.Builder> frame(CanvasSnapshot snapshot, StreamSettings settings, boolean whole) {
    step = Math.max(step, snapshot.totalSteps());
    Event.Builder event = Event.newBuilder();
    return frames.write(snapshot, settings, whole, event) ? Optional.of(event) : Optional.empty();
  }

  /** Number of the frame written last. */
  int lastFrame() {
    return frames.frame();
  }

  /** Notes a canvas that may never be shown. */
  void passed(CanvasSnapshot snapshot) {
    step = Math.max(step, snapshot.totalSteps());
  }

  /** A commit, unless a stop text came before it. */
  Optional<Event.Builder> committed(SessionEvent.BlockCommitted event, StreamSettings settings) {
    committedSteps += event.steps();
    step = Math.max(step, committedSteps);
    block = event.block();
    if (isStopped()) {
      return Optional.empty();
    }
    String text = committed.map(all -> all.append(event.tokens())).orElse("");
    int length = event.tokens().length;
    if (isStopped()) {
      length = Math.max(0, committed.get().tokenCount() - event.start());
    }
    BlockCommitted.Builder message =
        BlockCommitted.newBuilder().setBlock(event.block()).setText(text).setSteps(event.steps());
    if (length > 0) {
      message.setSpan(span(event, length, settings));
    }
    return Optional.of(Event.newBuilder().setBlockCommitted(message));
  }

  private static Span span(SessionEvent.BlockCommitted event, int length, StreamSettings settings) {
    Span.Builder span =
        Span.newBuilder()
            .setStart(event.start())
            .setLength(length)
            .setState(TokenState.TOKEN_STATE_COMMITTED);
    if (settings.tokenIds()) {
      Arrays.stream(event.tokens(), 0, length).forEach(span::addTokenIds);
    }
    return span.build();
  }

  /** Whether a stop text was committed. */
  boolean isStopped() {
    return committed.isPresent() && committed.get().stopped();
  }

  /** Canvas positions before the stop text; empty when there was none. */
  OptionalInt stoppedAt() {
    return isStopped() ? OptionalInt.of(committed.get().tokenCount()) : OptionalInt.empty();
  }

  /** A last commit with the text that was held back until the end, if there is any. */
  Optional<Event.Builder> heldBack() {
    String text = committed.map(CommittedText::finish).orElse("");
    if (text.isEmpty()) {
      return Optional.empty();
    }
    BlockCommitted.Builder message = BlockCommitted.newBuilder().setBlock(block).setText(text);
    return Optional.of(Event.newBuilder().setBlockCommitted(message));
  }

  Event.Builder finished(SessionEvent.Finished event, StreamSettings settings) {
    OptionalInt stoppedAt = stoppedAt();
    FinishReason reason = stoppedAt.isPresent() ? FinishReason.STOP_TEXT : event.reason();
    int length = Math.min(event.tokens().length, stoppedAt.orElse(Integer.MAX_VALUE));
    Usage usage = event.usage();
    Finished.Builder finished =
        Finished.newBuilder()
            .setReason(ProtoMapper.finishReason(reason))
            .setText(committed.map(CommittedText::text).orElse(""))
            .setUsage(
                ProtoMapper.usage(usage).toBuilder()
                    .setCommittedTokens(Math.min(usage.committedTokens(), length)))
            .setTiming(ProtoMapper.timing(event.timing()));
    List<Template.Slot> slots = plan.spec().template().slots();
    for (int index = 0; index < slots.size(); index++) {
      finished.addSlots(
          ProtoMapper.slot(slots.get(index), event.slots().get(index), plan.model().text().get()));
    }
    if (settings.tokenIds()) {
      Arrays.stream(event.tokens(), 0, length).forEach(finished::addTokenIds);
    }
    if (settings.revisedTokens()) {
      event.revised().stream()
          .filter(revised -> revised.position() < length)
          .map(frames::revisedToken)
          .forEach(finished::addRevisedTokens);
    }
    return Event.newBuilder().setFinished(finished);
  }

  Event.Builder applied(int controlId, int appliedStep) {
    step = Math.max(step, appliedStep - 1);
    ControlApplied message =
        ControlApplied.newBuilder().setControlId(controlId).setStep(step).build();
    return Event.newBuilder().setControlApplied(message);
  }

  /** As {@link #applied}, for what takes effect between two steps. */
  Event.Builder appliedNow(int controlId) {
    return applied(controlId, step + 1);
  }

  Event.Builder rejected(int controlId, Status status) {
    ControlRejected message =
        ControlRejected.newBuilder().setControlId(controlId).setStatus(status).build();
    return Event.newBuilder().setControlRejected(message);
  }

  /** The event as the next of its stream; for an event that will be sent. */
  Event number(Event.Builder event, long elapsedNanos) {
    sequence++;
    return event
        .setSequence(sequence)
        .setStep(step)
        .setElapsed(Durations.fromNanos(elapsedNanos))
        .build();
  }
}
