package io.sfumato.server.verify;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.Template;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Sessions as references run them: greedy, not ended by an end-of-text, with the mask among the
 * tokens. Pure functions; thread-safe.
 */
final class ReplaySpecs {

  static final int[] NO_TOKENS = {};

  /** Of a block, where the reference has no limit. */
  static final int MOST_STEPS = 4096;

  private ReplaySpecs() {}

  static SamplingSpec sampling(AcceptanceSpec acceptance, int maxSteps, int minAccept) {
    return sampling(acceptance, maxSteps, minAccept, 0, NO_TOKENS, NO_TOKENS);
  }

  static SamplingSpec sampling(
      AcceptanceSpec acceptance,
      int maxSteps,
      int minAccept,
      float guidance,
      int[] suppressed,
      int[] unconfident) {
    return new SamplingSpec(
        0,
        TemperatureSchedule.GREEDY,
        maxSteps,
        minAccept,
        acceptance,
        RevisionSpec.NONE,
        guidance,
        suppressed,
        unconfident,
        true,
        Optional.empty());
  }

  static SessionSpec session(
      int[] prompt, CanvasStart start, Attending attending, int block, SamplingSpec sampling) {
    return session(prompt, start, attending, CacheMode.NONE, block, sampling);
  }

  static SessionSpec session(
      int[] prompt,
      CanvasStart start,
      Attending attending,
      CacheMode cache,
      int block,
      SamplingSpec sampling) {
    return new SessionSpec(
        prompt,
        start,
        attending,
        cache,
        Template.NONE,
        block,
        block,
        sampling,
        NO_TOKENS,
        NO_TOKENS,
        0,
        "",
        Long.MAX_VALUE,
        OptionalLong.empty(),
        "");
  }

  /**
   * A canvas that begins with given tokens, of which the masks are to be decided.
   *
   * @param more undecided positions behind them
   */
  static CanvasStart infilled(int[] given, int mask, int more) {
    int[] tokens = new int[given.length + more];
    boolean[] pinned = new boolean[tokens.length];
    for (int position = 0; position < tokens.length; position++) {
      pinned[position] = position < given.length && given[position] != mask;
      tokens[position] = pinned[position] ? given[position] : CanvasSnapshot.NO_TOKEN;
    }
    return new CanvasStart(tokens, pinned, List.of());
  }
}
