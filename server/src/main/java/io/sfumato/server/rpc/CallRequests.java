package io.sfumato.server.rpc;

import io.grpc.stub.StreamObserver;
import java.util.function.Function;

/**
 * A client's messages on their way to a call. Called by gRPC, one at a time; hands over at once.
 */
record CallRequests<T>(CallSession call, Function<T, ClientMessage> reader)
    implements StreamObserver<T> {

  @Override
  public void onNext(T message) {
    call.receive(reader.apply(message));
  }

  @Override
  public void onError(Throwable error) {
    call.cancel();
  }

  @Override
  public void onCompleted() {
    call.halfClose();
  }
}
