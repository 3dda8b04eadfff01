package io.sfumato.server.app.bench;

import io.grpc.Channel;
import io.grpc.stub.BlockingClientCall;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.StreamGenerateRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongFunction;

/**
 * The load beside what is measured: so many sessions at a time, each followed by another one, whose
 * clients read every event, until closed. Thread-safe.
 */
final class BackgroundSessions implements AutoCloseable {

  private final Channel channel;
  private final LongFunction<GenerateStart> starts;
  private final ExecutorService pool;
  private final List<Future<?>> running = new ArrayList<>();
  private final CountDownLatch begun;
  private final AtomicLong steps = new AtomicLong();
  private final AtomicLong opened = new AtomicLong();
  private volatile boolean closed;

  /**
   * @param sessions at the same time; 0 for none
   * @param starts the beginning of the n-th session
   */
  BackgroundSessions(Channel channel, int sessions, LongFunction<GenerateStart> starts) {
    this.channel = channel;
    this.starts = starts;
    pool = Executors.newCachedThreadPool();
    begun = new CountDownLatch(sessions);
    for (int session = 0; session < sessions; session++) {
      running.add(
          pool.submit(() -> {
            follow();
            return null;
          }));
    }
  }

  private void follow() throws Exception {
    boolean first = true;
    try {
      while (!closed) {
        first = follow(starts.apply(opened.getAndIncrement()), first);
      }
    } finally {
      if (first) {
        begun.countDown(); // nobody waits for one that failed
      }
    }
  }

  private boolean follow(GenerateStart start, boolean first) throws Exception {
    boolean waiting = first;
    BlockingClientCall<?, Event> call =
        GenerationServiceGrpc.newBlockingV2Stub(channel)
            .streamGenerate(StreamGenerateRequest.newBuilder().setStart(start).build());
    int last = 0;
    for (Event event = call.read(); event != null; event = call.read()) {
      steps.addAndGet(Math.max(0, event.getStep() - last));
      last = Math.max(last, event.getStep());
      if (waiting && last > 0) {
        waiting = false;
        begun.countDown();
      }
      if (closed) {
        WholeCalls.cancel(call);
        break;
      }
    }
    return waiting;
  }

  /** Waits until each has shown its first step, or has failed. */
  void awaitBegun() throws InterruptedException {
    begun.await();
  }

  /** Steps that the clients have seen, of all sessions together. */
  long steps() {
    return steps.get();
  }

  /**
   * Ends the sessions.
   *
   * @throws ExecutionException when one of them has failed before
   */
  @Override
  public void close() throws ExecutionException {
    closed = true;
    pool.shutdown();
    try {
      for (Future<?> each : running) {
        each.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
