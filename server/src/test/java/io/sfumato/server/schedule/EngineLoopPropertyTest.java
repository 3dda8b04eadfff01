package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineLimits;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.SessionHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/**
 * Random sessions, controls, cancellations and slow readers on random engines, two of three with
 * pages and shared prompts, of blocks or of an encoded context; all promises are checked after
 * every step.
 */
final class EngineLoopPropertyTest {

  private static final int MOST_TOKENS = 48;

  @Test
  void everyPromiseHoldsAtEveryStep() {
    for (int round = 0; round < 375; round++) {
      new Round(round).play();
    }
  }

  private static final class Round {

    private final Random random;
    private final LoopFixture fixture;
    private final Supplier<Specs> requests;
    private final List<SessionObserver> running = new ArrayList<>();
    private final List<SessionObserver> over = new ArrayList<>();
    private final List<SessionHandle> handles = new ArrayList<>();
    private int toOpen = 20;
    private int refused;
    private long controlId;

    Round(long seed) {
      random = new Random(seed);
      int slots = 1 + random.nextInt(8);
      int tokens = 2 * MOST_TOKENS + random.nextInt(400);
      int items = 2 + random.nextInt(8);
      if (seed % 3 == 0) {
        fixture = LoopFixture.withHashes(LoopFixture.limits(slots, items, tokens), 4);
        requests = () -> Specs.random(random, LoopFixture.VOCABULARY, MOST_TOKENS);
      } else {
        int pages = MOST_TOKENS / 16 + random.nextInt(20);
        int kept = random.nextInt(4) == 0 ? random.nextInt(100) : Integer.MAX_VALUE;
        EngineLimits limits =
            new EngineLimits(slots, items, tokens, tokens, Specs.MOST_ALTERNATIVES, pages, 16);
        SharedPrompts prompts =
            new SharedPrompts(
                random,
                LoopFixture.VOCABULARY,
                MOST_TOKENS,
                4 << random.nextInt(3),
                random.nextBoolean());
        if (seed % 3 == 1) {
          PagedScript script = new PagedScript(limits);
          fixture = new LoopFixture(AttentionKind.BLOCK_CAUSAL, limits, 4, kept, script);
          requests = prompts::next;
        } else {
          fixture = LoopFixture.seeding(limits, 4, kept, EncoderScript.seeding(limits));
          requests = () -> prompts.next().encodedAtMost(random, LoopFixture.CANVAS);
        }
      }
    }

    void play() {
      int steps = 0;
      while (toOpen > 0 || !running.isEmpty()) {
        open();
        disturb();
        fixture.loop.step();
        fixture.pass(random.nextInt(1_000_000));
        fixture.loop.checkInvariants();
        running.forEach(SessionObserver::checkInside);
        look();
        assertThat(++steps).isLessThan(20_000);
      }
      over.forEach(SessionObserver::checkOver);
      assertThat(fixture.loop.step()).isFalse();
      assertThat(fixture.loop.load().running()).isZero();
      assertThat(fixture.loop.waiting()).isZero();
      assertThat(fixture.loop.load().failed()).isZero();
      assertThat(over).hasSize(20 - refused);
    }

    private void open() {
      if (toOpen == 0 || random.nextInt(3) == 0) {
        return;
      }
      toOpen--;
      try {
        SessionHandle handle = fixture.open(requests.get());
        running.add(new SessionObserver(handle));
        handles.add(handle);
      } catch (ServingException refusal) {
        assertThat(refusal.reason()).isEqualTo(ErrorReason.QUEUE_FULL);
        assertThat(refusal.retryAfterNanos()).isPositive();
        refused++;
      }
    }

    private void disturb() {
      if (running.isEmpty() || random.nextInt(4) != 0) {
        return;
      }
      int index = random.nextInt(running.size());
      SessionObserver observer = running.get(index);
      switch (random.nextInt(8)) {
        case 0 -> observer.cancel();
        case 1 -> ask(observer, index, new Control.FinishNow(++controlId, Control.Scope.BLOCK));
        case 2 -> ask(observer, index, new Control.FinishNow(++controlId, Control.Scope.CANVAS));
        case 3 -> ask(observer, index, new Control.StopAfterBlock(++controlId));
        case 4 -> {
          observer.askedStop();
          handles.get(index).control(new Control.StopAt(-1, random.nextInt(10)));
        }
        default -> observer.fetch();
      }
    }

    private void ask(SessionObserver observer, int index, Control control) {
      observer.asked(control.controlId());
      handles.get(index).control(control);
    }

    private void look() {
      for (int index = running.size() - 1; index >= 0; index--) {
        SessionObserver observer = running.get(index);
        if (random.nextInt(3) != 0) {
          observer.fetch();
        }
        if (observer.isOver()) {
          over.add(running.remove(index));
          handles.remove(index);
        }
      }
    }
  }
}
