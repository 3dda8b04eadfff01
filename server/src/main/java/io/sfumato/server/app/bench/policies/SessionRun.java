package io.sfumato.server.app.bench.policies;

import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionGate;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import java.util.concurrent.Semaphore;

/** Runs one session to its end while the calling thread waits. Stateless and thread-safe. */
final class SessionRun {

  private SessionRun() {}

  /**
   * @return the session's last event
   * @throws io.sfumato.server.error.ServingException why the session was refused or failed
   */
  static SessionEvent.Finished finish(SessionGate gate, SessionSpec spec)
      throws InterruptedException {
    Semaphore news = new Semaphore(0);
    SessionHandle session = gate.open(spec, news::release);
    while (true) {
      news.acquire();
      for (SessionEvent event = session.poll(); event != null; event = session.poll()) {
        if (event instanceof SessionEvent.Finished finished) {
          return finished;
        }
        if (event instanceof SessionEvent.Failed failed) {
          throw failed.reason();
        }
      }
    }
  }
}
