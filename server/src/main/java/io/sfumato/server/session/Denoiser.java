package io.sfumato.server.session;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.sampling.AcceptancePolicy;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.Ranking;
import io.sfumato.server.sampling.Revision;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.StepBudget;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * One session's share of a step: what to ask the model for, and what its answer does to the canvas.
 * What is sent is the prompt and the canvas with the mask at undecided positions, or the part of
 * them that {@link Sequence} says.
 *
 * <p>Confined to the engine thread; knows no clock, queue or client, so the same session always
 * takes the same course.
 *
 * <p>A block is done when all its positions are decided, or all up to an end-of-text: what a pass
 * opens again is undecided after it, so a block never ends with the pass that doubted it. The last
 * step that the budget allows decides everything and opens nothing. With revision a block that
 * holds a draft is looked at by one pass at least. An end-of-text before a pinned position is
 * padding: the canvas goes on behind it, and so it does on a canvas with a template up to the last
 * part.
 */
final class Denoiser {

  private final SessionSpec spec;
  private final SamplingSpec sampling;
  private final int[] suppressedTokens;
  private final Canvas canvas;
  private AcceptancePolicy policy;
  private StepBudget budget;
  private final RevisionSpec revision;
  private final DraftScoring scoring;
  private final Slots slots;
  private final TextEnd textEnd;
  private final Sequence sequence;
  private final Edits edits;
  private final StepRows rows;
  private final Ranking ranking;
  private final int[] doubted; // canvas positions to open again after the decision
  private boolean scored;
  private Control.Scope finishing; // null while the session runs as usual
  private boolean everything; // the step at hand decides all its candidates and opens nothing
  private boolean exhausted; // such a step was the last one
  private int policyStart; // steps of the block that another policy has had
  private int undecidedAtStart; // of the policy
  private int stepsLeft = Integer.MAX_VALUE;
  private int alternatives; // per position
  private int blockSteps;
  private int totalSteps;

  /**
   * @param maskToken token at undecided positions
   * @param chunkTokens most tokens of a step that only writes keys and values
   */
  Denoiser(SessionSpec spec, int maskToken, int chunkTokens) {
    this.spec = spec;
    sampling = spec.sampling();
    suppressedTokens = sampling.neverChosen(maskToken);
    canvas = new Canvas(spec.start(), spec.blockLength(), spec.firstBlockLength());
    sequence = new Sequence(spec, canvas, maskToken, chunkTokens);
    policy = AcceptancePolicy.of(sampling.acceptance());
    budget = new StepBudget(sampling.maxStepsPerBlock(), sampling.minAcceptPerStep());
    revision = sampling.revision();
    scoring = new DraftScoring(spec.start());
    slots = new Slots(spec, canvas);
    textEnd = new TextEnd(spec, canvas, slots);
    edits = new Edits(canvas, slots, maskToken);
    rows = new StepRows(spec.promptTokens().length, canvas.length(), spec.template().probes());
    ranking = new Ranking(canvas.length());
    doubted = new int[canvas.length()];
    scored = !scoring.isNeeded(canvas);
    startBlock();
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
    acceptance.ifPresent(spec -> {
      policy = AcceptancePolicy.of(spec);
      policyStart = blockSteps;
      undecidedAtStart = undecidedInBlock();
    });
  }

  /** Accept at least so much per step that all is decided after the given number of steps. */
  void pace(int newStepsLeft) {
    stepsLeft = Math.max(1, newStepsLeft);
  }

  /** Note so many of the most probable tokens at each position that is asked about. */
  void considerAlternatives(int count) {
    alternatives = count;
  }

  /** What the next step is for. */
  SessionState state() {
    if (sequence.lacksContext()) {
      return SessionState.PREFILLING;
    }
    return scored ? SessionState.DENOISING : SessionState.SCORING;
  }

  boolean isScoring() {
    return !scored;
  }

  /**
   * Chooses the rows of the next step; to be called before its demands are asked for.
   *
   * @throws IllegalStateException when the block has had its last step and is not done
   */
  void prepare() {
    rows.clear();
    if (sequence.lacksContext()) {
      sequence.fill();
      return;
    }
    if (scored) {
      chooseRows();
    } else {
      scoring.request(canvas, rows);
    }
    sequence.ask(
        rows.firstPosition(canvas.blockStart()),
        Math.max(rows.endPosition(), canvas.blockEnd()),
        scored && sampling.guidanceScale() != 0);
  }

  private void chooseRows() {
    if (exhausted) {
      throw new IllegalStateException(
          "steps: "
              + (blockSteps + 1)
              + " (expected: a block that is done after "
              + blockSteps
              + ")");
    }
    int start = canvas.blockStart();
    int end =
        textEnd.usedBefore(finishing == Control.Scope.CANVAS ? canvas.length() : canvas.blockEnd());
    everything = finishing != null || budget.isLast(blockSteps + 1);
    int firstUndecided = canvas.firstUndecided(start, end);
    int window = policy.seedsBlocks() && sequence.isSeed(firstUndecided) ? 1 : spec.windowLength();
    int windowEnd = everything ? end : (int) Math.min(end, (long) firstUndecided + window);
    boolean examine = (revision.enabled() || policy.edits()) && !everything;
    slots.ask(firstUndecided < end ? firstUndecided : -1, everything ? end : 0);
    for (int position = start; position < Math.max(end, slots.askedEnd()); position++) {
      TokenState state = canvas.state(position);
      if (slots.isChoice(position)) {
        slots.request(position, rows);
      } else if (position < end && !slots.isPadding(position)) {
        if (state == TokenState.UNDECIDED && position < windowEnd) {
          rows.add(position, true);
        } else if (state == TokenState.PROVISIONAL && examine) {
          rows.add(position, false);
        }
      }
    }
  }

  /** Work items of the next step. */
  int items() {
    return sequence.items();
  }

  /** Tokens of the next step, all items together. */
  int tokens() {
    return sequence.tokens();
  }

  /** Candidates of the next step. */
  int candidates() {
    return rows.rows();
  }

  /**
   * Adds the session's items to the step.
   *
   * @param pages key-value pages of the session
   */
  void write(StepBatch batch, int slot, int[] pages) {
    StepItem item = sequence.write(batch, slot, pages);
    item.suppressedTokens(suppressedTokens)
        .unconfidentTokens(sampling.unconfidentTokens())
        .topCount(alternatives)
        .randomness(sampling.seed(), canvas.block(), blockSteps + 1);
    if (scored) {
      item.temperature(sampling.temperature());
    }
    if (sequence.isGuided()) {
      item.guidance(batch.itemCount(), sampling.guidanceScale());
    }
    rows.placedAt(item.candidateOffset());
    for (int row = 0; row < rows.rows(); row++) {
      batch.addCandidateRow(sequence.row(rows.canvasPosition(row)), rows.probe(row));
    }
    sequence.writeGuide(batch, slot);
  }

  /**
   * Applies the engine's answer to the step that was written.
   *
   * @return whether it was about the canvas
   */
  boolean decide(Candidates candidates) {
    sequence.ran();
    if (sequence.isFilling()) {
      return false;
    }
    rows.read(candidates);
    totalSteps++;
    canvas.history().atStep(totalSteps);
    rows.considerAlternatives(alternatives, canvas.history());
    if (!scored) {
      scoring.open(canvas, rows);
      scored = true;
      startBlock();
    } else {
      decideRows();
    }
    return true;
  }

  private void decideRows() {
    blockSteps++;
    int doubts = examine();
    if (policy.edits() && !everything) {
      edits.apply(policy, rows);
    }
    ranking.rank(rows, policy.order(), sampling.seed(), blockSteps, canvas.block());
    int accepted = rows.count();
    if (!everything) {
      accepted =
          budget.accepted(
              policy.accepted(ranking, undecidedAtStart, blockSteps - policyStart),
              rows.count(),
              blockSteps);
      accepted = Math.max(accepted, Math.min(paced(), rows.count()));
    }
    for (int rank = 0; rank < accepted; rank++) {
      int index = ranking.index(rank);
      edits.decide(rows.openPosition(index), rows.sampledToken(index), rows.confidence(index));
    }
    for (int doubt = 0; doubt < doubts; doubt++) {
      canvas.revise(doubted[doubt]);
    }
    slots.decide(rows);
    exhausted = everything;
  }

  private int paced() {
    if (stepsLeft == Integer.MAX_VALUE) {
      return 0;
    }
    int undecided = canvas.undecided(canvas.blockStart(), textEnd.usedBefore(canvas.length()));
    return (undecided + stepsLeft - 1) / stepsLeft;
  }

  private int examine() {
    int doubts = 0;
    for (int row = 0; row < rows.rows(); row++) {
      int position = rows.canvasPosition(row);
      if (canvas.isUndecided(position)) {
        continue;
      }
      canvas.reassess(position, rows.inputProbability(row));
      if (Revision.reopens(
          revision, rows.inputProbability(row), canvas.history().revisions(position))) {
        doubted[doubts++] = position;
      }
    }
    return doubts;
  }

  /** Whether the block at work can be committed. */
  boolean blockIsDone() {
    if (canvas.isFinished() || !scored || awaitsPass()) {
      return false;
    }
    return endOfText() >= 0 || undecidedInBlock() == 0;
  }

  /** Whether the model is to look once more at what is decided. */
  private boolean awaitsPass() {
    boolean doubtful = revision.enabled() && blockSteps == 0;
    boolean unsettled = policy.edits() && !edits.areSettled(policy);
    if (finishing != null || budget.isLast(blockSteps + 1) || !(doubtful || unsettled)) {
      return false;
    }
    int end = textEnd.usedBefore(canvas.blockEnd());
    for (int position = canvas.blockStart(); position < end; position++) {
      if (canvas.state(position) == TokenState.PROVISIONAL) {
        return true;
      }
    }
    return false;
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

  private void startBlock() {
    blockSteps = 0;
    edits.startBlock();
    exhausted = false;
    policyStart = 0;
    undecidedAtStart = undecidedInBlock();
  }

  private int undecidedInBlock() {
    return canvas.undecided(canvas.blockStart(), canvas.blockEnd());
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

  Sequence sequence() {
    return sequence;
  }
}
