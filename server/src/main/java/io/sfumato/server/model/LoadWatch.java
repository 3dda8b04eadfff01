package io.sfumato.server.model;

import io.sfumato.engine.LoadProgress;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Tells at intervals how far a model has been loaded, on a thread of its own, until it is stopped.
 * Thread-safe.
 */
final class LoadWatch {

  static final Duration USUAL_INTERVAL = Duration.ofSeconds(5);

  private final CountDownLatch stopped = new CountDownLatch(1);

  /**
   * Starts to watch.
   *
   * @param tell called once per interval while there is something to tell
   */
  LoadWatch(
      String model,
      Duration interval,
      Supplier<Optional<LoadProgress>> progress,
      Consumer<String> tell) {
    Thread.ofPlatform()
        .daemon()
        .name("loading-" + model)
        .start(() -> {
          while (!ended(interval)) {
            progress.get().ifPresent(now -> tell.accept(line(model, now)));
          }
        });
  }

  private boolean ended(Duration interval) {
    try {
      return stopped.await(interval.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return true;
    }
  }

  private static String line(String model, LoadProgress now) {
    return String.format(
        Locale.ROOT,
        "model %s: %,d of %,d MiB of weights loaded (%d %%)",
        model,
        now.bytesRead() >> 20,
        now.bytesTotal() >> 20,
        100 * now.bytesRead() / Math.max(1, now.bytesTotal()));
  }

  /** Ends its thread; may be called again. */
  void stop() {
    stopped.countDown();
  }
}
