package io.sfumato.server.app;

import com.google.protobuf.Message;
import io.grpc.Channel;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.sfumato.server.app.recording.RecordingWriter;
import io.sfumato.server.app.terminal.Key;
import io.sfumato.server.app.terminal.KeyControls;
import io.sfumato.server.app.terminal.KeySource;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.RefineRequest;
import io.sfumato.v1.RefineStart;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * One streamed call as a client sees it: shows its canvas, steers it by keys, and records it, each
 * if asked to. Thread-safe.
 *
 * <p>Events come on gRPC's threads; the next one is fetched when the last was drawn, so a slow
 * display gets fewer frames. Keys come on a thread of theirs. The lock of the run keeps the two
 * apart: a key is about the canvas that is on display.
 */
final class CanvasRun implements StreamObserver<Event> {

  /**
   * What a run is steered by.
   *
   * @param source read while the run lasts
   */
  record Keys(KeySource source, KeyControls controls) {}

  /** Who takes part in a run, besides the server. */
  record Audience(RunFollower follower, Optional<Keys> keys, Optional<RecordingWriter> recording) {
    static Audience of(RunFollower follower) {
      return new Audience(follower, Optional.empty(), Optional.empty());
    }
  }

  private final RunFollower follower;
  private final Optional<Keys> keys;
  private final Optional<RecordingWriter> recording;
  private final CompletableFuture<RunOutcome> outcome = new CompletableFuture<>();
  private final long startNanos = System.nanoTime();
  private ClientCallStreamObserver<?> call;
  private Consumer<Control> controls;
  private boolean over;

  private CanvasRun(Audience audience) {
    follower = audience.follower();
    keys = audience.keys();
    recording = audience.recording();
  }

  /**
   * Runs a generation to its end.
   *
   * @throws io.grpc.StatusRuntimeException when it ends badly; CANCELLED when by a key
   */
  static RunOutcome generate(Channel channel, GenerateStart start, Audience audience)
      throws InterruptedException {
    return new CanvasRun(audience)
        .run(
            start,
            GenerationServiceGrpc.newStub(channel)::generate,
            GenerateRequest.newBuilder().setStart(start).build(),
            control -> GenerateRequest.newBuilder().setControl(control).build());
  }

  /** As {@link #generate}, for a refinement. */
  static RunOutcome refine(Channel channel, RefineStart start, Audience audience)
      throws InterruptedException {
    return new CanvasRun(audience)
        .run(
            start,
            GenerationServiceGrpc.newStub(channel)::refine,
            RefineRequest.newBuilder().setStart(start).build(),
            control -> RefineRequest.newBuilder().setControl(control).build());
  }

  private <T> RunOutcome run(
      Message start,
      Function<StreamObserver<Event>, StreamObserver<T>> method,
      T first,
      Function<Control, T> request)
      throws InterruptedException {
    synchronized (this) {
      recording.ifPresent(writer -> writer.write(0, start));
      ClientCallStreamObserver<T> requests = (ClientCallStreamObserver<T>) method.apply(this);
      call = requests;
      controls = control -> requests.onNext(request.apply(control));
      requests.onNext(first);
      if (keys.isEmpty()) {
        requests.onCompleted();
      }
    }
    if (keys.isEmpty()) {
      return await();
    }
    KeySource.Keyboard keyboard = keys.get().source().open(this::press);
    try {
      return await();
    } finally {
      keyboard.close();
    }
  }

  private RunOutcome await() throws InterruptedException {
    try {
      return outcome.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  private long nanos() {
    return System.nanoTime() - startNanos;
  }

  private synchronized void press(Key key) {
    if (over) {
      return;
    }
    if (key == Key.CANCEL) {
      over = true;
      call.cancel("by key", null);
      return;
    }
    keys.orElseThrow().controls().press(key, follower.view()).ifPresent(this::send);
    follower.show(nanos());
  }

  private void send(Control control) {
    recording.ifPresent(writer -> writer.write(nanos(), control));
    controls.accept(control);
  }

  @Override
  public synchronized void onNext(Event event) {
    long nanos = nanos();
    recording.ifPresent(writer -> writer.write(nanos, event));
    keys.flatMap(steering -> steering.controls().accept(event)).ifPresent(this::send);
    follower.accept(event, nanos);
    if (keys.isPresent() && (event.hasControlApplied() || event.hasControlRejected())) {
      follower.show(nanos);
    }
  }

  @Override
  public synchronized void onError(Throwable error) {
    end(nanos(), error);
    outcome.completeExceptionally(error);
  }

  @Override
  public synchronized void onCompleted() {
    long nanos = nanos();
    end(nanos, null);
    try {
      outcome.complete(follower.outcome(nanos));
    } catch (IllegalStateException e) {
      outcome.completeExceptionally(e);
    }
  }

  private void end(long nanos, Throwable error) {
    over = true;
    recording.ifPresent(writer -> writer.write(nanos, RemoteErrors.status(error)));
    if (keys.isPresent() && !follower.isFinished()) {
      keys.get().controls().end();
      follower.show(nanos); // without the footer
    }
  }
}
