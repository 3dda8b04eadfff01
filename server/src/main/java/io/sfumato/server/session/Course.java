package io.sfumato.server.session;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.sampling.AcceptancePolicy;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.Ranking;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.StepBudget;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One session's share of a step: what to ask the model for, and what its answer does to the canvas.
 * How that goes depends on what an undecided position is to the model: {@link Denoiser} for a mask,
 * {@link UniformDenoiser} for a random token.
 *
 * <p>Confined to the engine thread; knows no clock, queue or client, so the same session always
 * takes the same course.
 */
abstract class Course {

  protected final SessionSpec spec;
  protected final SamplingSpec sampling;
  protected final Canvas canvas;
  protected final Slots slots;
  protected final TextEnd textEnd;
  protected final StepRows rows;
  protected final Ranking ranking;
  protected AcceptancePolicy policy;
  protected StepBudget budget;
  protected Control.Scope finishing; // null while the session runs as usual
  protected int alternatives; // per position
  protected int blockSteps;
  private final int[] suppressedTokens;
  private int totalSteps;

  /**
   * @param suppressedTokens tokens that are never chosen
   * @param mostRows positions that a step may ask about, probes of a template apart
   */
  Course(SessionSpec spec, int[] suppressedTokens, int mostRows) {
    this.spec = spec;
    this.suppressedTokens = suppressedTokens;
    sampling = spec.sampling();
    canvas = new Canvas(spec.start(), spec.blockLength(), spec.firstBlockLength());
    slots = new Slots(spec, canvas);
    textEnd = new TextEnd(spec, canvas, slots);
    rows = new StepRows(spec.promptTokens().length, mostRows, spec.template().probes());
    ranking = new Ranking(mostRows);
    policy = AcceptancePolicy.of(sampling.acceptance());
    budget = new StepBudget(sampling.maxStepsPerBlock(), sampling.minAcceptPerStep());
  }

  static Course of(SessionSpec spec, ModelFacts model) {
    return spec.isUniform() ? new UniformDenoiser(spec, model) : new Denoiser(spec, model);
  }

  /** What the next step is for. */
  abstract SessionState state();

  abstract boolean isScoring();

  /** Accept at least so much per step that all is decided after the given number of steps. */
  abstract void pace(int newStepsLeft);

  /**
   * Chooses the rows of the next step; to be called before its demands are asked for.
   *
   * @throws IllegalStateException when the block has had its last step and is not done
   */
  abstract void prepare();

  /** Work items of the next step. */
  int items() {
    return sequence().items();
  }

  /** Tokens of the next step, all items together. */
  int tokens() {
    return sequence().tokens();
  }

  /**
   * Adds the session's items to the step.
   *
   * @param pages key-value pages of the session
   */
  abstract void write(StepBatch batch, int slot, int[] pages);

  /** Applies what {@link #rows} hold. */
  protected abstract void decideRows();

  /** Whether the block at work can be committed. */
  abstract boolean blockIsDone();

  /** What goes through the model, and what of it the pages hold. */
  abstract KeptSequence sequence();

  /** Begins the block at work. */
  protected abstract void startBlock();

  /**
   * Whether the text ends with the block at work: the canvas is to be finished, and the model sees
   * no further. A template goes on up to its last part, with one step for each block.
   */
  boolean endsWithBlock() {
    return finishing == Control.Scope.CANVAS
        && spec.attending().encodesContext()
        && slots.requiredLength() <= canvas.blockEnd();
  }

  /**
   * Whether it ends before that block, of which nothing is worth a step: it has had none, and holds
   * no more than the token that its context predicts.
   */
  boolean endsBeforeBlock() {
    int start = canvas.blockStart();
    boolean isUntouched = canvas.block() > 0 && blockSteps == 0 && !canvas.isFinished();
    return isUntouched
        && endsWithBlock()
        && Math.max(canvas.lastPinned() + 1, slots.requiredLength()) <= start
        && canvas.undecided(start, canvas.blockEnd()) >= canvas.blockEnd() - start - 1;
  }

  /** Decide everything in the block or canvas with one more step. */
  void finish(Control.Scope scope) {
    if (finishing != Control.Scope.CANVAS) {
      finishing = scope;
    }
  }

  /** Change what the session may spend, from the next step on. */
  void setBudget(OptionalInt maxStepsPerBlock, Optional<AcceptanceSpec> acceptance) {
    budget =
        new StepBudget(
            maxStepsPerBlock.orElse(budget.maxStepsPerBlock()), budget.minAcceptPerStep());
    acceptance.ifPresent(newAcceptance -> policy = AcceptancePolicy.of(newAcceptance));
  }

  /** Note so many of the most probable tokens at each position that is asked about. */
  void considerAlternatives(int count) {
    alternatives = count;
  }

  /** Candidates of the next step. */
  int candidates() {
    return rows.rows();
  }

  /** Says how the candidates of the session's first item are drawn. */
  protected void describe(StepItem item) {
    item.suppressedTokens(suppressedTokens)
        .unconfidentTokens(sampling.unconfidentTokens())
        .topCount(alternatives)
        .randomness(sampling.seed(), canvas.block(), blockSteps + 1);
    rows.placedAt(item.candidateOffset());
  }

  /** The temperature of the next step. */
  protected float temperature() {
    return sampling.temperature().at(blockSteps + 1, budget.maxStepsPerBlock());
  }

  /**
   * Applies the engine's answer to the step that was written.
   *
   * @return whether it was about the canvas
   */
  boolean decide(Candidates candidates) {
    sequence().ran();
    if (sequence().isFilling() && rows.rows() == 0) {
      return false;
    }
    rows.read(candidates);
    totalSteps++;
    canvas.history().atStep(totalSteps);
    rows.considerAlternatives(alternatives, canvas);
    decideRows();
    return true;
  }

  /**
   * First end-of-text or stop token in the block at work with everything before it decided, or -1.
   */
  int endOfText() {
    return textEnd.inBlock();
  }

  /** Whether the position ends the canvas as a stop token rather than as end-of-text. */
  boolean isStop(int position) {
    return textEnd.isStop(position);
  }

  /** Commits the block at work and begins the next; {@link #blockIsDone} must hold. */
  void commitBlock() {
    canvas.commitBlock();
    if (finishing == Control.Scope.BLOCK) {
      finishing = null;
    }
    startBlock();
  }

  /** Ends the canvas before a position of the block at work. */
  void endAt(int position) {
    canvas.endAt(position);
  }

  Canvas canvas() {
    return canvas;
  }

  /** Steps done in the block at work. */
  int blockSteps() {
    return blockSteps;
  }

  /** Steps done, all blocks and the scoring of a draft together. */
  int totalSteps() {
    return totalSteps;
  }

  /** Whether the canvas has slots at fixed places. */
  boolean hasTemplate() {
    return !slots.isEmpty();
  }

  List<SlotValue> slotValues(int length) {
    return slots.values(length);
  }

  CanvasSnapshot snapshot() {
    return canvas.snapshot(blockSteps, totalSteps);
  }
}
