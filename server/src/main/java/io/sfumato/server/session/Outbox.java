package io.sfumato.server.session;

import io.sfumato.server.canvas.CanvasSnapshot;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What a session has to tell its client and the client has not fetched yet: events that must not be
 * lost, in order, and of canvases and signs of life only the newest. A slow client costs one
 * canvas, not one for each step.
 *
 * <p>Thread-safe; nobody blocks for longer than it takes to append or remove one event.
 */
final class Outbox {

  private final Deque<SessionEvent> events = new ArrayDeque<>();
  private final int capacity;
  private long added;
  private long fetched;
  private CanvasSnapshot canvas;
  private long canvasPlace; // fetched when the canvas is due
  private SessionEvent.Progress progress;
  private long progressPlace;
  private boolean closed;

  /**
   * @param capacity most events that may wait, canvases and signs of life apart
   */
  Outbox(int capacity) {
    this.capacity = capacity;
  }

  /**
   * Adds an event that must not be lost.
   *
   * @throws IllegalStateException when the session says more than it may
   */
  synchronized void add(SessionEvent event) {
    if (closed) {
      return;
    }
    if (events.size() >= capacity) {
      throw new IllegalStateException(
          "outbox: " + (events.size() + 1) + " (expected: <= " + capacity + ")");
    }
    events.add(event);
    added++;
  }

  /** Replaces the canvas that was not fetched yet. It comes after everything added so far. */
  synchronized void publish(CanvasSnapshot snapshot) {
    if (!closed) {
      canvas = snapshot;
      canvasPlace = added;
    }
  }

  /** Replaces the sign of life that was not fetched yet. It comes after everything added so far. */
  synchronized void publish(SessionEvent.Progress newProgress) {
    if (!closed) {
      progress = newProgress;
      progressPlace = added;
    }
  }

  /** The next event, or null. */
  synchronized SessionEvent poll() {
    if (progress != null && progressPlace <= fetched) {
      SessionEvent event = progress;
      progress = null;
      return event;
    }
    if (canvas != null && canvasPlace <= fetched) {
      SessionEvent event = new SessionEvent.CanvasChanged(canvas);
      canvas = null;
      return event;
    }
    SessionEvent event = events.poll();
    if (event != null) {
      fetched++;
    }
    return event;
  }

  /** Forgets everything; nothing is added or fetched any more. */
  synchronized void close() {
    closed = true;
    events.clear();
    canvas = null;
    progress = null;
  }
}
