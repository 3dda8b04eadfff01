package io.sfumato.server.rpc;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionGate;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Opens sessions elsewhere, and notes what they were asked to do and which canvases were fetched
 * from them. Thread-safe.
 */
final class RecordingGate implements SessionGate {

  private final SessionGate gate;
  private final Map<String, Recorded> sessions = new ConcurrentHashMap<>();

  RecordingGate(SessionGate gate) {
    this.gate = gate;
  }

  /** Sessions opened so far. */
  int opened() {
    return sessions.size();
  }

  Recorded session(String sessionId) {
    return sessions.get(sessionId);
  }

  @Override
  public SessionHandle open(SessionSpec spec, Runnable signal) {
    Recorded recorded = new Recorded(spec, gate.open(spec, signal));
    sessions.put(recorded.sessionId(), recorded);
    return recorded;
  }

  static final class Recorded implements SessionHandle {

    private final SessionSpec spec;
    private final SessionHandle handle;
    private final List<CanvasSnapshot> canvases = new ArrayList<>();
    private final AtomicInteger controls = new AtomicInteger();
    private volatile boolean cancelled;

    private Recorded(SessionSpec spec, SessionHandle handle) {
      this.spec = spec;
      this.handle = handle;
    }

    SessionSpec spec() {
      return spec;
    }

    /** Controls that have arrived, internal ones included. */
    int controls() {
      return controls.get();
    }

    boolean isCancelled() {
      return cancelled;
    }

    synchronized List<CanvasSnapshot> canvases() {
      return List.copyOf(canvases);
    }

    @Override
    public String sessionId() {
      return handle.sessionId();
    }

    @Override
    public void control(Control control) {
      handle.control(control);
      controls.incrementAndGet();
    }

    @Override
    public void showAlternatives(int count) {
      handle.showAlternatives(count);
    }

    @Override
    public void cancel() {
      handle.cancel();
      cancelled = true;
    }

    @Override
    public SessionEvent poll() {
      SessionEvent event = handle.poll();
      if (event instanceof SessionEvent.CanvasChanged changed) {
        synchronized (this) {
          canvases.add(changed.snapshot());
        }
      }
      return event;
    }
  }
}
