package io.sfumato.server.rpc;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.sfumato.v1.Event;

/**
 * Events of a streaming call, as they come. Confined to the call's serial executor.
 *
 * @param hasRequests whether the client sends more than one message
 */
record StreamSink(ServerCallStreamObserver<Event> responses, boolean hasRequests)
    implements EventSink {

  /** A frame or two: what waits in the transport is what a slow client sees late. */
  static final int ON_READY_THRESHOLD_BYTES = 8 * 1024;

  @Override
  public boolean isReady() {
    return responses.isReady();
  }

  @Override
  public void send(Event event) {
    responses.onNext(event);
  }

  @Override
  public void requestMessage() {
    if (hasRequests) {
      responses.request(1);
    }
  }

  @Override
  public void complete() {
    responses.onCompleted();
  }

  @Override
  public void fail(StatusRuntimeException error) {
    responses.onError(error);
  }
}
