package io.sfumato.server.app;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineDevice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.model.EngineFactory;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A model that always wants to write the same tokens, and grows surer of them from step to step, in
 * no order. Thread-safe.
 *
 * <p>It writes them behind the last token of the prompt, which is the same for every chat: the
 * opening of the assistant's turn.
 */
final class StoryEngine implements EngineFactory {

  private static final int END_OF_TEXT = 1;
  private static final int VOCABULARY = 2048;
  private static final int POSITIONS = 512;

  private final int[] story;
  private final int answerToken;
  private final AtomicReference<EngineOptions> lastOptions = new AtomicReference<>();

  /**
   * @param answerToken last token of every prompt
   */
  StoryEngine(int[] story, int answerToken) {
    this.story = story.clone();
    this.answerToken = answerToken;
  }

  @Override
  public DenoiseEngine open(EngineOptions options) {
    lastOptions.set(options);
    EngineInfo info =
        new EngineInfo(
            "llada",
            "scripted",
            "none",
            VOCABULARY,
            192,
            6,
            POSITIONS,
            0,
            END_OF_TEXT,
            2,
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
    return new ScriptedEngine(info, options.limits(), this::propose);
  }

  /** Those of the engine that was opened last. */
  EngineOptions lastOptions() {
    return lastOptions.get();
  }

  private void propose(long run, StepBatch batch, Candidates candidates) {
    for (int index = 0; index < batch.itemCount(); index++) {
      StepItem item = batch.item(index);
      int start = 0;
      for (int row = 0; row < item.tokenCount(); row++) {
        if (batch.tokens()[item.tokenOffset() + row] == answerToken) {
          start = row + 1;
        }
      }
      for (int count = 0; count < item.candidateCount(); count++) {
        int candidate = item.candidateOffset() + count;
        int position = batch.candidateRows()[candidate] - start;
        int token = position >= 0 && position < story.length ? story[position] : END_OF_TEXT;
        float probability =
            Math.min(1, 0.25f + 0.04f * item.step() + ((position * 7919) % 101) / 140f);
        float input =
            batch.tokens()[item.tokenOffset() + batch.candidateRows()[candidate]] == token ? 1 : 0;
        candidates.set(
            candidate,
            token,
            probability,
            token,
            probability,
            1 - probability,
            1 - probability,
            input);
      }
    }
  }
}
