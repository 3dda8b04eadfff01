package io.sfumato.server.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.LoadProgress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class LoadWatchTest {

  @Test
  void tellsHowFarAModelIsWhileItIsKnown() throws InterruptedException {
    BlockingQueue<String> lines = new ArrayBlockingQueue<>(1000);
    AtomicLong asked = new AtomicLong();
    LoadWatch watch =
        new LoadWatch(
            "tales",
            Duration.ofMillis(1),
            () ->
                asked.incrementAndGet() == 1
                    ? Optional.empty()
                    : Optional.of(new LoadProgress(3L << 29, 4L << 30)),
            lines::offer);
    try {
      assertThat(lines.take())
          .isEqualTo("model tales: 1,536 of 4,096 MiB of weights loaded (37 %)");
      assertThat(asked.get()).isGreaterThanOrEqualTo(2);
    } finally {
      watch.stop();
    }
  }
}
