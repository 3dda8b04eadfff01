package io.sfumato.server.session;

/** Where sessions of one model are opened. Thread-safe. */
public interface SessionGate {

  /**
   * Admits a session.
   *
   * @param signal called when there may be something to {@link SessionHandle#poll}, perhaps before
   *     this returns; must not block or throw (a signal that throws ends the session)
   * @throws io.sfumato.server.error.ServingException QUEUE_FULL, SERVER_DRAINING, ENGINE_LOST,
   *     EXPIRED_IN_QUEUE: nothing was started
   */
  SessionHandle open(SessionSpec spec, Runnable signal);
}
