package io.sfumato.server.session;

/**
 * A session as the call that opened it sees it. Thread-safe.
 *
 * <p>Events are fetched, not pushed: the session calls the signal given at its opening whenever
 * there may be something to fetch, from any thread, without blocking.
 */
public interface SessionHandle {

  String sessionId();

  /**
   * Puts a control into the session's queue; its answer comes as an event.
   *
   * @throws io.sfumato.server.error.ServingException TOO_MANY_CONTROLS when the bounded queue is
   *     full
   */
  void control(Control control);

  /**
   * From the next step on, how many of the tokens that the model holds most probable come with each
   * position of a canvas, 0..what the model allows. Changes nothing else of what the session does.
   */
  void showAlternatives(int count);

  /** Ends the session at the next step boundary; no event follows. */
  void cancel();

  /**
   * The next event, or null when there is none now. Events that must not be lost come in order; a
   * canvas comes after what happened before it, and only the newest one. Called by one thread at a
   * time.
   */
  SessionEvent poll();
}
