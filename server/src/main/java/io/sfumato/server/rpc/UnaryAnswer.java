package io.sfumato.server.rpc;

import io.grpc.stub.StreamObserver;
import java.util.function.Supplier;

/** Ends unary calls: with the answer, or with the status of what went wrong. Pure. */
final class UnaryAnswer {

  private UnaryAnswer() {}

  /** Answers a call. */
  static <T> void send(StreamObserver<T> responses, StatusMapper statuses, Supplier<T> answer) {
    T message;
    try {
      message = answer.get();
    } catch (RuntimeException error) {
      responses.onError(statuses.toException(error));
      return;
    }
    responses.onNext(message);
    responses.onCompleted();
  }
}
