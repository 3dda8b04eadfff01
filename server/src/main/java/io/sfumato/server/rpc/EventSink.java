package io.sfumato.server.rpc;

import io.grpc.StatusRuntimeException;
import io.sfumato.v1.Event;

/** Where a call's events go. Touched by the call's serial drain alone. */
interface EventSink {

  /** Whether another event can be sent without being buffered. */
  boolean isReady();

  void send(Event event);

  /** Lets the client send another message, where it can. */
  void requestMessage();

  /** Ends the call well. */
  void complete();

  /** Ends the call with an error. */
  void fail(StatusRuntimeException error);
}
