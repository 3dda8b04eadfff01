package io.sfumato.server.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.canvas.CanvasInvariants;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.schedule.HashScript;
import io.sfumato.server.schedule.LoopFixture;
import io.sfumato.server.schedule.Specs;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * 100,000 random sequences of controls on random sessions against a simple model of the canvas:
 * every control is answered once, applies when the model says so, does what the model says and
 * nothing when it is refused; pins and commitments stand at every step.
 */
final class SteeringPropertyTest {

  private static final int SEQUENCES = 100_000;
  private static final int MOST_TOKENS = 16;
  private static final EngineLimits LIMITS = LoopFixture.limits(1, 2, 2 * MOST_TOKENS);

  private final ScriptedEngine engine =
      new ScriptedEngine(
          LoopFixture.info(AttentionKind.FULL),
          LIMITS,
          new HashScript(LoopFixture.VOCABULARY, LoopFixture.END_OF_TEXT, 12));
  private final StepBatch batch = new StepBatch(LIMITS);

  @Test
  void theCanvasIsWhatItsClientMadeOfIt() {
    int applied = 0;
    int rejected = 0;
    for (int seed = 0; seed < SEQUENCES; seed++) {
      Play sequence = new Play(seed);
      try {
        sequence.play();
      } catch (AssertionError | RuntimeException failure) {
        throw new AssertionError("seed " + seed, failure);
      }
      applied += sequence.applied;
      rejected += sequence.rejected;
    }
    assertThat(applied).isGreaterThan(SEQUENCES);
    assertThat(rejected).isGreaterThan(SEQUENCES / 10);
  }

  private final class Play {

    private final Random random;
    private final Session session;
    private final CanvasModel model;
    private final List<CanvasModel.View> seen = new ArrayList<>();
    private final List<Integer> seenChanges = new ArrayList<>();
    private final Set<Long> expectApplied = new HashSet<>();
    private final Set<Long> expectRejected = new HashSet<>();
    private long now = 1_000;
    private long controlId;
    private boolean over;
    int applied;
    int rejected;

    Play(long seed) {
      random = new Random(seed);
      session =
          new Session(
              "s",
              Specs.random(random, LoopFixture.VOCABULARY, MOST_TOKENS)
                  .template(Template.NONE)
                  .build(),
              new ModelFacts(LoopFixture.MASK, LoopFixture.VOCABULARY, MOST_TOKENS, MOST_TOKENS),
              () -> {},
              () -> {},
              () -> now);
      session.announce(0);
      session.begin();
      model = new CanvasModel(session.canvas());
    }

    void play() {
      for (int step = 0; !session.state().isOver(); step++) {
        assertThat(step).isLessThan(2_000);
        boolean scoring = session.state() == SessionState.SCORING;
        for (int count = random.nextInt(3); count > 0 && !scoring && step < 40; count--) {
          ask();
        }
        if (step == 40) {
          session.control(new Control.Resume(++controlId));
          expectApplied.add(controlId);
        }
        boundary();
        if (session.wantsStep()) {
          step();
        }
        now += random.nextInt(2_000_000);
      }
      fetch();
      assertThat(expectApplied).isEmpty();
      assertThat(expectRejected).isEmpty();
      assertThat(over).isTrue();
    }

    private void boundary() {
      session.boundary();
      model.checkSteered(session.canvas());
      CanvasInvariants.check(session.canvas());
      if (random.nextBoolean()) {
        fetch();
      }
      remember();
    }

    private void step() {
      session.prepare(random.nextBoolean() ? 0 : 1_000_000);
      batch.clear();
      session.write(batch, 0, new int[0]);
      session.decide(engine.run(batch));
      model.checkStepped(session.canvas());
      CanvasInvariants.check(session.canvas());
      remember();
    }

    private void remember() {
      if (random.nextInt(3) == 0) {
        seen.add(model.view());
        seenChanges.add(session.canvas().changes());
      }
    }

    private void ask() {
      if (random.nextInt(5) > 0) {
        onCanvas();
        return;
      }
      Control control =
          switch (random.nextInt(6)) {
            case 0 -> new Control.Pause(++controlId);
            case 1 -> new Control.Resume(++controlId);
            case 2 -> new Control.FinishNow(++controlId, Control.Scope.BLOCK);
            case 3 -> new Control.StopAfterBlock(++controlId);
            case 4 ->
                new Control.SetBudget(
                    ++controlId,
                    OptionalInt.of(1 + random.nextInt(20)),
                    OptionalLong.empty(),
                    Optional.of(new AcceptanceSpec.ConfidenceThreshold(random.nextFloat())));
            default ->
                new Control.SetBudget(
                    ++controlId,
                    OptionalInt.empty(),
                    OptionalLong.of(1 + random.nextInt(100_000_000)),
                    Optional.empty());
          };
      session.control(control);
      expectApplied.add(controlId);
    }

    private void onCanvas() {
      boolean current = seen.isEmpty() || random.nextBoolean();
      int view = current ? 0 : random.nextInt(seen.size());
      Optional<CanvasModel.View> looked = current ? Optional.empty() : Optional.of(seen.get(view));
      Optional<Control.Basis> basis =
          looked.map(then -> new Control.Basis(seenChanges.get(view), then.committed()));
      long id = ++controlId;
      Control.OnCanvas control =
          switch (random.nextInt(6)) {
            case 0 -> new Control.PinSpans(id, basis, ranges());
            case 1 -> new Control.UnpinSpans(id, basis, ranges());
            case 2 -> new Control.BlankSpan(id, basis, range(0));
            case 3 -> new Control.ReopenSpans(id, Optional.empty(), ranges(), random.nextFloat());
            default -> new Control.EditSpan(id, basis, range(0), tokens());
          };
      boolean applies =
          control instanceof Control.ReopenSpans reopen
              ? model.reopen(reopen, session.canvas())
              : model.apply(control, looked);
      session.control(control);
      (applies ? expectApplied : expectRejected).add(id);
    }

    private int[] tokens() {
      int[] tokens = new int[random.nextInt(5)];
      for (int index = 0; index < tokens.length; index++) {
        tokens[index] = random.nextInt(LoopFixture.END_OF_TEXT);
      }
      return tokens;
    }

    private PositionRange range(int least) {
      int length = session.canvas().length();
      int start = least + random.nextInt(length - least);
      return new PositionRange(start, 1 + random.nextInt(Math.min(4, length - start)));
    }

    private List<PositionRange> ranges() {
      List<PositionRange> ranges = new ArrayList<>();
      int least = 0;
      for (int count = 1 + random.nextInt(2); count > 0 && least < session.canvas().length(); ) {
        PositionRange range = range(least);
        ranges.add(range);
        least = range.end();
        count--;
      }
      return ranges;
    }

    private void fetch() {
      for (SessionEvent event = session.poll(); event != null; event = session.poll()) {
        assertThat(over).as("%s after the end", event).isFalse();
        switch (event) {
          case SessionEvent.ControlApplied answer -> {
            assertThat(expectApplied.remove(answer.controlId())).as("%s", answer).isTrue();
            assertThat(answer.step()).isBetween(1, session.totalSteps() + 1);
            applied++;
          }
          case SessionEvent.ControlRejected answer -> {
            assertThat(expectRejected.remove(answer.controlId())).as("%s", answer).isTrue();
            rejected++;
          }
          case SessionEvent.Finished ignored -> over = true;
          case SessionEvent.Failed failed -> throw new AssertionError(failed.reason());
          case SessionEvent.CanvasChanged ignored -> {}
          case SessionEvent.BlockCommitted ignored -> {}
          case SessionEvent.Accepted ignored -> {}
          case SessionEvent.Progress ignored -> {}
        }
      }
    }
  }
}
