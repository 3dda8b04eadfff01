package io.sfumato.server.rpc;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateTextResponse;

/**
 * The events of a session as one response: its beginning and its end. Confined to the call's serial
 * drain.
 */
final class TextSink implements EventSink {

  private final ServerCallStreamObserver<GenerateTextResponse> responses;
  private final GenerateTextResponse.Builder response = GenerateTextResponse.newBuilder();

  TextSink(ServerCallStreamObserver<GenerateTextResponse> responses) {
    this.responses = responses;
  }

  @Override
  public boolean isReady() {
    return true;
  }

  @Override
  public void send(Event event) {
    if (event.hasAccepted()) {
      response.setAccepted(event.getAccepted());
    }
    if (event.hasFinished()) {
      response.setFinished(event.getFinished());
    }
  }

  @Override
  public void requestMessage() {}

  @Override
  public void complete() {
    responses.onNext(response.build());
    responses.onCompleted();
  }

  @Override
  public void fail(StatusRuntimeException error) {
    responses.onError(error);
  }
}
