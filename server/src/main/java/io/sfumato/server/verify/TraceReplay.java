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

  private final EngineLoop loop;
  private final int maskToken;

  TraceReplay(EngineLoop loop, int maskToken) {
    this.loop = loop;
    this.maskToken = maskToken;
  }

  VerificationRow replay(DecodeTrace trace) {
    String name = "trace " + trace.name();
    Optional<SessionSpec> spec = ReplayPlan.of(trace);
    if (spec.isEmpty()) {
      return new VerificationRow(
          name,
          Outcome.APPROX,
          0,
          "not replayed: the server has no sampler "
              + trace.algorithm()
              + " with these parameters");
    }
    List<int[]> canvases = run(spec.get());
    int steps = trace.canvases().length - 1;
    int[] last = canvases.getLast();
    int differing = differing(last, trace.canvases()[steps]);
    for (int step = 0; step <= steps; step++) {
      if (step >= canvases.size() || !Arrays.equals(canvases.get(step), trace.canvases()[step])) {
        return different(name, trace, differing, step, steps);
      }
    }
    boolean complete =
        canvases.size() == steps + 1
            && Arrays.equals(
                Arrays.copyOfRange(last, last.length - trace.result().length, last.length),
                trace.result());
    if (!complete) {
      return different(name, trace, differing, canvases.size() - 1, steps);
    }
    return new VerificationRow(
        name, Outcome.PASS, 0, steps + " steps, every canvas the same (" + trace.algorithm() + ")");
  }

  private static VerificationRow different(
      String name, DecodeTrace trace, int differing, int step, int steps) {
    String detail =
        "differs from step " + step + " of " + steps + " on (" + trace.algorithm() + ")";
    if (trace.exact()) {
      return new VerificationRow(name, Outcome.FAIL, differing, detail);
    }
    return new VerificationRow(
        name, Outcome.APPROX, differing, detail + "; the record is one of a stale cache");
  }

  /**
   * Canvases before the first step and after each, prompt included, the mask at undecided
   * positions.
   */
  private List<int[]> run(SessionSpec spec) {
    List<int[]> canvases = new ArrayList<>();
    canvases.add(sequence(spec, spec.start().tokens()));
    SessionHandle session = loop.open(spec, () -> {});
    boolean running = true;
    while (running) {
      running = loop.step();
      for (SessionEvent event = session.poll(); event != null; event = session.poll()) {
        if (event instanceof SessionEvent.CanvasChanged changed) {
          canvases.add(sequence(spec, changed.snapshot().tokens()));
        } else if (event instanceof SessionEvent.Failed failed) {
          throw failed.reason();
        }
      }
    }
    return canvases;
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
