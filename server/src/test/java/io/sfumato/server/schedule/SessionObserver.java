package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.canvas.CanvasInvariants;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A client that believes nothing: checks every event of its session against all the promises.
 * Confined to one thread.
 */
final class SessionObserver {

  private final Session session;
  private final SessionSpec spec;
  private final CanvasInvariants invariants;
  private final List<Integer> committed = new ArrayList<>();
  private final List<Long> unanswered = new ArrayList<>();
  private CanvasSnapshot canvas;
  private boolean accepted;
  private int blocks;
  private SessionEvent last;
  private boolean cancelled;
  private boolean stopAt;

  SessionObserver(SessionHandle handle) {
    session = (Session) handle;
    spec = session.spec();
    invariants = new CanvasInvariants(spec.start(), LoopFixture.MASK);
  }

  /** Fetches and checks all that waits. */
  void fetch() {
    for (SessionEvent event = session.poll(); event != null; event = session.poll()) {
      check(event);
    }
  }

  /** Checks what can be seen from inside at any step boundary. */
  void checkInside() {
    CanvasInvariants.check(session.canvas());
  }

  void cancel() {
    cancelled = true;
    session.cancel();
    assertThat(session.poll()).isNull();
  }

  void asked(long controlId) {
    unanswered.add(controlId);
  }

  void askedStop() {
    stopAt = true;
  }

  boolean isOver() {
    return session.state().isOver();
  }

  private void check(SessionEvent event) {
    assertThat(cancelled).as("event after cancel").isFalse();
    assertThat(ended()).as("event %s after the end", event).isFalse();
    assertThat(event instanceof SessionEvent.Accepted)
        .as("first event is Accepted, and no other")
        .isEqualTo(!accepted);
    accepted = true;
    last = event;
    switch (event) {
      case SessionEvent.Accepted first ->
          assertThat(first.sessionId()).isEqualTo(session.sessionId());
      case SessionEvent.Progress progress ->
          assertThat(progress.undecided()).isBetween(0, spec.blockLength());
      case SessionEvent.CanvasChanged changed -> {
        canvas = changed.snapshot();
        invariants.observe(canvas);
        checkAgainstCommitted();
      }
      case SessionEvent.BlockCommitted block -> {
        assertThat(block.block()).isEqualTo(blocks++);
        assertThat(block.start()).isEqualTo(committed.size());
        assertThat(block.steps()).isBetween(0, spec.sampling().maxStepsPerBlock());
        Arrays.stream(block.tokens()).forEach(committed::add);
      }
      case SessionEvent.ControlApplied applied ->
          assertThat(unanswered.remove(applied.controlId())).isTrue();
      case SessionEvent.ControlRejected rejected ->
          assertThat(unanswered.remove(rejected.controlId())).isTrue();
      case SessionEvent.Finished finished -> checkFinished(finished);
      case SessionEvent.Failed failed ->
          assertThat(failed.reason().reason()).isNotEqualTo(ErrorReason.INTERNAL_FAULT);
    }
  }

  private void checkAgainstCommitted() {
    assertThat(canvas.count(TokenState.COMMITTED)).isEqualTo(committed.size());
    for (int position = 0; position < committed.size(); position++) {
      assertThat(canvas.token(position)).isEqualTo(committed.get(position));
    }
  }

  private void checkFinished(SessionEvent.Finished finished) {
    List<Integer> tokens = Arrays.stream(finished.tokens()).boxed().toList();
    if (finished.reason() == FinishReason.STOP_TEXT) {
      assertThat(committed.subList(0, tokens.size())).isEqualTo(tokens);
    } else {
      assertThat(committed).isEqualTo(tokens);
    }
    assertThat(tokens.size()).isLessThanOrEqualTo(spec.start().length());
    assertThat(finished.usage().committedTokens()).isEqualTo(tokens.size());
    assertThat(finished.usage().canvasTokens()).isEqualTo(spec.start().length());
    if (spec.attending().isFull()) {
      assertThat(finished.usage().tokenForwards())
          .isEqualTo((long) finished.usage().forwardPasses() * spec.sequenceLength());
    }
    assertThat(finished.usage().cachedPromptTokens())
        .isBetween(0, spec.keepsContext() ? spec.promptTokens().length : 0);
    boolean[] pinned = spec.start().pinned();
    int lastPinned = pinned.length - 1;
    while (lastPinned >= 0 && !pinned[lastPinned]) {
      lastPinned--;
    }
    int least = Math.max(lastPinned + 1, spec.template().requiredLength());
    for (int position = least; position < tokens.size(); position++) {
      int token = tokens.get(position);
      assertThat(Arrays.stream(spec.endOfTextTokens()).anyMatch(end -> end == token))
          .as("end-of-text in the result")
          .isFalse();
    }
    if (finished.reason() == FinishReason.MAX_LENGTH) {
      assertThat(tokens).hasSize(spec.start().length());
    }
    assertThat(finished.timing().totalNanos())
        .isGreaterThanOrEqualTo(finished.timing().firstCanvasNanos());
    assertThat(finished.timing().firstCanvasNanos())
        .isGreaterThanOrEqualTo(finished.timing().queueNanos());
    assertThat(stopAt || finished.reason() != FinishReason.STOP_TEXT).isTrue();
  }

  private boolean ended() {
    return last instanceof SessionEvent.Finished || last instanceof SessionEvent.Failed;
  }

  /** After the end: everything was told. */
  void checkOver() {
    fetch();
    assertThat(session.state().isOver()).isTrue();
    assertThat(cancelled || ended()).isTrue();
    if (last instanceof SessionEvent.Finished) {
      assertThat(canvas.count(TokenState.COMMITTED)).isEqualTo(committed.size());
    }
  }

  SessionEvent last() {
    return last;
  }
}
