package io.sfumato.server.app.bench.policies;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.EngineDevice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.schedule.EngineLoopOptions;

/**
 * Answers a session's steps from a recorded run instead of a model: as many positions decided, the
 * same candidates. Confined to the engine thread.
 *
 * <p>A step with n positions decided is answered from the first recorded pass with at least n. A
 * position that the reference had decided by then, and the session has not, gets its newest
 * candidate before; one that was not in the reference's window yet gets its first. One for which
 * the reference never asked, behind the end of its text, gets an end of text without any figure,
 * which ranks last.
 */
final class TraceScript implements ScriptedEngine.Script {

  private final CandidateTrace trace;
  private final int endOfText;
  private final int maskToken;

  private TraceScript(TraceHeader header, CandidateTrace trace) {
    this.trace = trace;
    endOfText = header.endOfTextTokens().length == 0 ? 0 : header.endOfTextTokens()[0];
    maskToken = maskToken(header);
  }

  /** Starts a loop for sessions that replay the trace, one at a time. */
  static EngineLoop loop(TraceHeader header, CandidateTrace trace) {
    int positions = trace.promptTokens().length + header.canvasLength();
    EngineInfo info =
        new EngineInfo(
            "trace",
            "none",
            "none",
            header.vocabulary() + 1,
            1,
            1,
            positions,
            maskToken(header),
            -1,
            -1,
            AttentionKind.FULL,
            false,
            false,
            false,
            0,
            1,
            0,
            0,
            0,
            EngineDevice.HOST);
    EngineLimits limits = new EngineLimits(1, 1, positions, header.canvasLength(), 0, 0, 0);
    EngineLoop loop =
        new EngineLoop(
            new ScriptedEngine(info, limits, new TraceScript(header, trace)),
            new EngineLoopOptions("engine-trace", 1, -1, 0, "replay-"),
            System::nanoTime,
            () -> {});
    loop.start();
    return loop;
  }

  /** A token that no trace has. */
  private static int maskToken(TraceHeader header) {
    return header.vocabulary();
  }

  @Override
  public void propose(long run, StepBatch batch, Candidates candidates) {
    StepItem item = batch.item(0);
    int start = trace.promptTokens().length;
    int decided = 0;
    for (int index = start; index < item.tokenCount(); index++) {
      decided += batch.tokens()[item.tokenOffset() + index] == maskToken ? 0 : 1;
    }
    int pass = trace.passAfter(decided);
    for (int count = 0; count < item.candidateCount(); count++) {
      int candidate = item.candidateOffset() + count;
      propose(candidates, candidate, pass, batch.candidateRows()[candidate] - start);
    }
  }

  private void propose(Candidates candidates, int candidate, int pass, int position) {
    int nearest = trace.nearest(pass, position);
    if (nearest == CandidateTrace.NONE) {
      float none = Float.NaN;
      candidates.set(candidate, endOfText, none, endOfText, none, none, none, none);
      return;
    }
    TracePass recorded = trace.passes().get(nearest);
    int row = recorded.row(position);
    int token = recorded.tokens()[row];
    float probability = recorded.probability(row);
    candidates.set(
        candidate,
        token,
        probability,
        token,
        probability,
        recorded.secondProbability(row),
        recorded.entropy(row),
        Float.NaN);
  }
}
