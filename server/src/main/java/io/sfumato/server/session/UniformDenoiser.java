package io.sfumato.server.session;

import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;

/**
 * The course of a canvas whose undecided positions hold random tokens (DiffusionGemma's generate).
 * Each step decides all positions of the block at work anew: those that the policy accepts keep the
 * token that was drawn for them, the others get a random one, and the next step may see it
 * otherwise. The block is committed with its most probable tokens, after the last step that the
 * budget allows or when {@link NoisyBlock} has settled.
 *
 * <p>The model sees one block at a time: to finish the whole canvas at once is to end it with the
 * block at work, or before it when that is still nothing but noise.
 */
final class UniformDenoiser extends Course {

  private final EncodedSequence sequence;
  private final NoisyBlock block;

  UniformDenoiser(SessionSpec spec, ModelFacts model) {
    super(spec, spec.sampling().suppressedTokens(), spec.blockLength());
    block = new NoisyBlock(spec, canvas, model.vocabulary());
    sequence = new EncodedSequence(spec, canvas, model, block.tokens());
    startBlock();
  }

  @Override
  SessionState state() {
    return sequence.lacksContext() ? SessionState.PREFILLING : SessionState.DENOISING;
  }

  @Override
  boolean isScoring() {
    return false;
  }

  /** Does nothing: there is a best guess at every position after every step. */
  @Override
  void pace(int newStepsLeft) {}

  @Override
  void prepare() {
    rows.clear();
    if (sequence.lacksContext()) {
      sequence.fill();
    } else {
      block.ask(blockSteps, rows);
      sequence.ask(canvas.blockStart(), canvas.blockEnd(), false);
    }
  }

  @Override
  void write(StepBatch batch, int slot, int[] pages) {
    StepItem item = sequence.write(batch, slot, pages);
    describe(item);
    item.temperature(temperature()).temperedProbabilities(true);
    for (int row = 0; row < rows.rows(); row++) {
      batch.addCandidateRow(sequence.row(rows.canvasPosition(row)));
    }
  }

  @Override
  protected void decideRows() {
    blockSteps++;
    ranking.rank(rows, policy.order(), sampling.seed(), blockSteps, canvas.block());
    int proposed = policy.kept(ranking, blockSteps);
    int accepted = budget.accepted(proposed, rows.count(), blockSteps);
    boolean last = finishing != null || budget.isLast(blockSteps);
    block.decide(rows, ranking, accepted, blockSteps, last);
  }

  @Override
  KeptSequence sequence() {
    return sequence;
  }

  @Override
  boolean blockIsDone() {
    return !canvas.isFinished() && block.isDone();
  }

  @Override
  protected void startBlock() {
    blockSteps = 0;
    if (!canvas.isFinished()) {
      block.start(sequence.blockLength());
    }
  }
}
