package io.sfumato.server.verify;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.verify.VerificationRow.Outcome;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Replays recorded decodings through the engine loop, a session and the server's policies, and
 * compares every canvas.
 *
 * <p>Drives the loop itself: confined to one thread, on which nothing else may use the loop.
 */
final class TraceReplay {

  /** Of a session, for each recorded one. */
  private static final int MOST_STEPS = 3;

  private final EngineLoop loop;
  private final int maskToken;

  TraceReplay(EngineLoop loop, int maskToken) {
    this.loop = loop;
    this.maskToken = maskToken;
  }

  VerificationRow replay(DecodeTrace trace) {
    String name = "trace " + trace.name();
    Optional<Replay> plan = ReplayPlan.of(trace);
    if (plan.isEmpty()) {
      return new VerificationRow(
          name,
          Outcome.SKIPPED,
          0,
          "not replayed: the server has no sampler "
              + trace.algorithm()
              + " with these parameters");
    }
    Replay replay = plan.get();
    List<int[]> canvases = run(replay, MOST_STEPS * trace.canvases().length);
    int[] last = canvases.getLast();
    canvases = canvases.subList(Math.min(replay.stepsBefore(), canvases.size()), canvases.size());
    List<int[]> recorded = recorded(trace, replay.padding());
    int steps = recorded.size() - 1;
    int differing = differing(last, recorded.getLast());
    for (int step = 0; step <= steps; step++) {
      if (step >= canvases.size() || !agree(canvases.get(step), recorded.get(step))) {
        return different(name, trace, differing, step, steps);
      }
    }
    int end = replay.resultStart() + trace.result().length;
    boolean complete =
        canvases.size() == recorded.size() + replay.stepsAfter()
            && end <= last.length
            && Arrays.equals(Arrays.copyOfRange(last, replay.resultStart(), end), trace.result());
    if (!complete) {
      return different(name, trace, differing, steps, steps);
    }
    int idle = trace.canvases().length - recorded.size();
    String detail =
        steps
            + " steps"
            + (idle > 0 ? " and " + idle + " that change nothing" : "")
            + ", every canvas the same ("
            + trace.algorithm()
            + ")";
    return new VerificationRow(name, Outcome.PASS, 0, detail);
  }

  /** The record's canvases without columns of padding and without steps that change nothing. */
  private static List<int[]> recorded(DecodeTrace trace, int padding) {
    List<int[]> canvases = new ArrayList<>();
    for (int[] canvas : trace.canvases()) {
      add(canvases, Arrays.copyOfRange(canvas, Math.min(padding, canvas.length), canvas.length));
    }
    return canvases;
  }

  private static void add(List<int[]> canvases, int[] canvas) {
    if (canvases.isEmpty() || !Arrays.equals(canvases.getLast(), canvas)) {
      canvases.add(canvas);
    }
  }

  /** Whether a canvas is the recorded one, which may end before undecided positions. */
  private boolean agree(int[] canvas, int[] recorded) {
    boolean agrees = recorded.length <= canvas.length;
    for (int position = 0; agrees && position < canvas.length; position++) {
      int expected = position < recorded.length ? recorded[position] : maskToken;
      agrees = canvas[position] == expected;
    }
    return agrees;
  }

  private static VerificationRow different(
      String name, DecodeTrace trace, int differing, int step, int steps) {
    String detail =
        "differs from step " + step + " of " + steps + " on (" + trace.algorithm() + ")";
    return new VerificationRow(name, Outcome.FAIL, differing, detail);
  }

  /**
   * Canvases before the first step and after each that changes something, prompt included, the mask
   * at undecided positions; up to where the record stops.
   *
   * @param mostSteps after which a session is given up that does not come to an end
   */
  private List<int[]> run(Replay replay, int mostSteps) {
    SessionSpec spec = replay.spec();
    List<int[]> canvases = new ArrayList<>();
    canvases.add(sequence(spec, spec.start().tokens()));
    SessionHandle session = loop.open(spec, () -> {});
    boolean running = true;
    int steps = 0;
    while (running) {
      running = loop.step();
      boolean stopped = false;
      for (SessionEvent event = session.poll(); event != null; event = session.poll()) {
        if (event instanceof SessionEvent.CanvasChanged changed) {
          int[] canvas = sequence(spec, changed.snapshot().tokens());
          boolean ofBlock = changed.snapshot().step() > 0; // and not a token from outside of it
          stopped |= ofBlock && isStopped(replay, canvases.getLast(), canvas);
          add(canvases, canvas);
          stopped |= ++steps == mostSteps;
        } else if (event instanceof SessionEvent.BlockCommitted block) {
          stopped |= Arrays.stream(block.tokens()).anyMatch(replay::isStop);
        } else if (event instanceof SessionEvent.Failed failed) {
          throw failed.reason();
        }
      }
      if (stopped) {
        session.cancel();
      }
    }
    return canvases;
  }

  /** Whether a step ends the record within a block: everything before a stop token is decided. */
  private boolean isStopped(Replay replay, int[] before, int[] canvas) {
    if (replay.stop() == Replay.Stop.WITH_BLOCK) {
      return false;
    }
    boolean decided = replay.stop() == Replay.Stop.WHEN_REACHED;
    int first = -1;
    for (int position = replay.spec().promptTokens().length; position < canvas.length; position++) {
      if (replay.isStop(canvas[position])) {
        first = first < 0 ? position : first;
        decided |= before[position] == maskToken;
      } else if (first < 0 && canvas[position] == maskToken) {
        return false;
      }
    }
    return first >= 0 && decided;
  }

  private int[] sequence(SessionSpec spec, int[] canvas) {
    int[] prompt = spec.promptTokens();
    int[] sequence = Arrays.copyOf(prompt, prompt.length + canvas.length);
    for (int position = 0; position < canvas.length; position++) {
      sequence[prompt.length + position] =
          canvas[position] == CanvasSnapshot.NO_TOKEN ? maskToken : canvas[position];
    }
    return sequence;
  }

  private static int differing(int[] first, int[] second) {
    int count = Math.abs(first.length - second.length);
    for (int position = 0; position < Math.min(first.length, second.length); position++) {
      count += first[position] == second[position] ? 0 : 1;
    }
    return count;
  }
}
