package io.sfumato.server.rpc;

import static java.util.Objects.requireNonNull;

import com.google.common.util.concurrent.MoreExecutors;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateTextRequest;
import io.sfumato.v1.GenerateTextResponse;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.RefineRequest;
import io.sfumato.v1.StreamGenerateRequest;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Opens a {@link CallSession} for each call: the methods differ only in what a client may say and
 * how it is answered. Thread-safe.
 */
final class GenerationService extends GenerationServiceGrpc.GenerationServiceImplBase {

  private final RequestValidator validator;
  private final CallContext context;
  private final Executor executor;

  /**
   * @param executor where calls do their work
   */
  GenerationService(RequestValidator validator, CallContext context, Executor executor) {
    this.validator = requireNonNull(validator, "validator");
    this.context = requireNonNull(context, "context");
    this.executor = requireNonNull(executor, "executor");
  }

  @Override
  public StreamObserver<GenerateRequest> generate(StreamObserver<Event> responses) {
    long deadlineNanos = deadlineNanos();
    CallSession call = openBidirectional(responses);
    return new CallRequests<>(
        call,
        request ->
            switch (request.getMessageCase()) {
              case START ->
                  new ClientMessage.Start(
                      () -> validator.generate(request.getStart(), deadlineNanos, true));
              case CONTROL -> new ClientMessage.Wish(request.getControl());
              case FRAME_ACK -> new ClientMessage.Receipt(request.getFrameAck().getFrame());
              case MESSAGE_NOT_SET -> new ClientMessage.Nothing();
            });
  }

  @Override
  public StreamObserver<RefineRequest> refine(StreamObserver<Event> responses) {
    long deadlineNanos = deadlineNanos();
    CallSession call = openBidirectional(responses);
    return new CallRequests<>(
        call,
        request ->
            switch (request.getMessageCase()) {
              case START ->
                  new ClientMessage.Start(
                      () -> validator.refine(request.getStart(), deadlineNanos));
              case CONTROL -> new ClientMessage.Wish(request.getControl());
              case FRAME_ACK -> new ClientMessage.Receipt(request.getFrameAck().getFrame());
              case MESSAGE_NOT_SET -> new ClientMessage.Nothing();
            });
  }

  @Override
  public void generateText(
      GenerateTextRequest request, StreamObserver<GenerateTextResponse> responses) {
    long deadlineNanos = deadlineNanos();
    ServerCallStreamObserver<GenerateTextResponse> observer =
        (ServerCallStreamObserver<GenerateTextResponse>) responses;
    CallSession call = open(new TextSink(observer), observer);
    call.receive(
        new ClientMessage.Start(() -> validator.generateText(request.getStart(), deadlineNanos)));
  }

  @Override
  public void streamGenerate(StreamGenerateRequest request, StreamObserver<Event> responses) {
    long deadlineNanos = deadlineNanos();
    ServerCallStreamObserver<Event> observer = (ServerCallStreamObserver<Event>) responses;
    CallSession call = open(new StreamSink(observer, false), observer);
    call.receive(
        new ClientMessage.Start(
            () -> validator.generate(request.getStart(), deadlineNanos, false)));
  }

  private CallSession openBidirectional(StreamObserver<Event> responses) {
    ServerCallStreamObserver<Event> observer = (ServerCallStreamObserver<Event>) responses;
    observer.disableAutoRequest();
    CallSession call = open(new StreamSink(observer, true), observer);
    observer.request(1);
    return call;
  }

  private CallSession open(EventSink sink, ServerCallStreamObserver<?> observer) {
    observer.setOnReadyThreshold(StreamSink.ON_READY_THRESHOLD_BYTES);
    CallSession call =
        new CallSession(sink, context, MoreExecutors.newSequentialExecutor(executor));
    observer.setOnReadyHandler(call::signal);
    observer.setOnCancelHandler(call::cancel);
    return call;
  }

  private long deadlineNanos() {
    Deadline deadline = Context.current().getDeadline();
    if (deadline == null) {
      return Long.MAX_VALUE;
    }
    return context.clock().nanoTime() + deadline.timeRemaining(TimeUnit.NANOSECONDS);
  }
}
