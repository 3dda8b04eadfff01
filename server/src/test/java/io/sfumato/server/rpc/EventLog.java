package io.sfumato.server.rpc;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.sfumato.v1.Event;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The events of one call as a client receives them. Thread-safe. */
final class EventLog<T> implements ClientResponseObserver<T, Event> {

  private static final int PATIENCE_SECONDS = 20;

  private final boolean slow;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();
  private final CountDownLatch end = new CountDownLatch(1);
  private volatile ClientCallStreamObserver<T> call;
  private volatile Throwable error;

  /**
   * @param slow whether events are received only when asked for, by {@link #request}
   */
  EventLog(boolean slow) {
    this.slow = slow;
  }

  EventLog() {
    this(false);
  }

  @Override
  public void beforeStart(ClientCallStreamObserver<T> newCall) {
    call = newCall;
    if (slow) {
      newCall.disableAutoRequestWithInitial(0);
    }
  }

  @Override
  public void onNext(Event event) {
    events.add(event);
  }

  @Override
  public void onError(Throwable newError) {
    error = newError;
    end.countDown();
  }

  @Override
  public void onCompleted() {
    end.countDown();
  }

  void request(int count) {
    call.request(count);
  }

  void cancel() {
    call.cancel("the test is over", null);
  }

  /** The next event, waiting for it. */
  Event next() throws InterruptedException {
    Event event = events.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
    if (event == null) {
      throw new AssertionError("no event, error: " + error);
    }
    return event;
  }

  /** The next event of a kind, waiting for it; others are skipped. */
  Event next(Event.KindCase kind) throws InterruptedException {
    Event event = next();
    while (event.getKindCase() != kind) {
      event = next();
    }
    return event;
  }

  /** All events to the end of the call that were not taken yet. */
  List<Event> rest() throws InterruptedException {
    awaitEnd();
    List<Event> rest = new ArrayList<>();
    events.drainTo(rest);
    return rest;
  }

  /** Events that have arrived and were not taken. */
  int waiting() {
    return events.size();
  }

  /** What the call ended with, waiting for it; null for OK. */
  Throwable error() throws InterruptedException {
    awaitEnd();
    return error;
  }

  Status.Code code() throws InterruptedException {
    return error() == null ? Status.Code.OK : Status.fromThrowable(error()).getCode();
  }

  private void awaitEnd() throws InterruptedException {
    if (!end.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("the call does not end, events: " + events);
    }
  }
}
