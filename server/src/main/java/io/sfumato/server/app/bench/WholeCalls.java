package io.sfumato.server.app.bench;

import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.RefineRequest;
import io.sfumato.v1.RefineStart;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Streamed calls from their start to their end. Stateless and thread-safe. */
final class WholeCalls {

  /** A stream that goes on takes a small message at once. */
  private static final long SEND_SECONDS = 2;

  private WholeCalls() {}

  /** Runs a refinement without controls. */
  static Finished refine(Channel channel, RefineStart start)
      throws InterruptedException, StatusException {
    BlockingClientCall<RefineRequest, Event> call =
        GenerationServiceGrpc.newBlockingV2Stub(channel).refine();
    call.write(RefineRequest.newBuilder().setStart(start).build());
    call.halfClose();
    Finished finished = null;
    for (Event event = call.read(); event != null; event = call.read()) {
      finished = event.hasFinished() ? event.getFinished() : finished;
    }
    if (finished == null) {
      throw unfinished();
    }
    return finished;
  }

  /**
   * Sends a message on a stream that may have ended; false when it has. BlockingClientCall.write
   * alone would wait for ever then, as long as events are unread.
   */
  static <T> boolean send(BlockingClientCall<T, Event> call, T request)
      throws InterruptedException, StatusException {
    try {
      return call.write(request, SEND_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException ended) {
      return false;
    }
  }

  /** Cancels a call, and lets go of what was on its way. */
  static void cancel(BlockingClientCall<?, Event> call) throws InterruptedException {
    call.cancel("the measurement is over", null);
    try {
      Event event;
      do {
        event = call.read();
      } while (event != null);
    } catch (StatusException cancelled) {
      // As asked for.
    }
  }

  /** What is wrong with a stream that ended without Finished. */
  static IllegalStateException unfinished() {
    return new IllegalStateException("finished: none (expected: one before OK)");
  }
}
