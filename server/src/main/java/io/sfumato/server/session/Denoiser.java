package io.sfumato.server.session;

import io.sfumato.engine.StepBatch;
import io.sfumato.engine.StepItem;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.Revision;
import io.sfumato.server.sampling.RevisionSpec;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The course of a canvas whose undecided positions hold the mask. What is sent is the prompt and
 * the canvas, or the part of them that {@link KeptSequence} says.
 *
 * <p>A block is done when all its positions are decided, or all up to an end-of-text: what a pass
 * opens again is undecided after it, so a block never ends with the pass that doubted it. The last
 * step that the budget allows decides everything and opens nothing. With revision a block that
 * holds a draft is looked at by one pass at least. An end-of-text before a pinned position is
 * padding: the canvas goes on behind it, and so it does on a canvas with a template up to the last
 * part.
 *
 * <p>Over a context that is encoded causally, the pass that ends with the last token before a block
 * also decides the first of the block, its seed (Nemotron-Labs-Diffusion's generate), unless
 * something stands there. That is a step of the session, but none of the block's. A seed that is
 * opened again is decided like any other position.
 */
final class Denoiser extends Course {

  private final RevisionSpec revision;
  private final DraftScoring scoring;
  private final KeptSequence sequence;
  private final Edits edits;
  private final int[] doubted; // canvas positions to open again after the decision
  private boolean scored;
  private boolean everything; // the step at hand decides all its candidates and opens nothing
  private boolean exhausted; // such a step was the last one
  private int policyStart; // steps of the block that another policy has had
  private int undecidedAtStart; // of the policy
  private int stepsLeft = Integer.MAX_VALUE;

  Denoiser(SessionSpec spec, ModelFacts model) {
    super(spec, spec.sampling().neverChosen(model.maskToken()), spec.start().length());
    sequence = KeptSequence.of(spec, canvas, model);
    revision = sampling.revision();
    scoring = new DraftScoring(spec.start());
    edits = new Edits(canvas, slots, model.maskToken());
    doubted = new int[canvas.length()];
    scored = !scoring.isNeeded(canvas);
    startBlock();
  }

  @Override
  void setBudget(OptionalInt maxStepsPerBlock, Optional<AcceptanceSpec> acceptance) {
    super.setBudget(maxStepsPerBlock, acceptance);
    if (acceptance.isPresent()) {
      policyStart = blockSteps;
      undecidedAtStart = undecidedInBlock();
    }
  }

  @Override
  void pace(int newStepsLeft) {
    stepsLeft = Math.max(1, newStepsLeft);
  }

  @Override
  SessionState state() {
    if (sequence.lacksContext()) {
      return SessionState.PREFILLING;
    }
    return scored ? SessionState.DENOISING : SessionState.SCORING;
  }

  @Override
  boolean isScoring() {
    return !scored;
  }

  @Override
  void prepare() {
    rows.clear();
    if (sequence.lacksContext()) {
      sequence.fill();
      if (sequence.predictsSeed()) {
        chooseSeed();
      }
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

  private void chooseSeed() {
    int position = canvas.blockStart();
    slots.ask(-1, 0);
    if (canvas.isUndecided(position) && !slots.isChoice(position) && !slots.isPadding(position)) {
      rows.add(position, true);
    }
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
    boolean whole = finishing == Control.Scope.CANVAS && !spec.attending().encodesContext();
    int end = textEnd.usedBefore(whole ? canvas.length() : canvas.blockEnd());
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

  @Override
  void write(StepBatch batch, int slot, int[] pages) {
    StepItem item = sequence.write(batch, slot, pages);
    describe(item);
    if (scored || sequence.isFilling()) {
      item.temperature(temperature());
    }
    if (sequence.isGuided()) {
      item.guidance(batch.itemCount(), sampling.guidanceScale());
    }
    for (int row = 0; row < rows.rows(); row++) {
      batch.addCandidateRow(sequence.row(rows.canvasPosition(row)), rows.probe(row));
    }
    sequence.writeGuide(batch, slot);
  }

  @Override
  protected void decideRows() {
    if (sequence.isFilling()) {
      decideSeed();
      return;
    }
    if (!scored) {
      scoring.open(canvas, rows);
      scored = true;
      startBlock();
      return;
    }
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

  private void decideSeed() {
    edits.decide(rows.openPosition(0), rows.sampledToken(0), rows.confidence(0));
    slots.decide(rows);
    undecidedAtStart = undecidedInBlock();
  }

  private int paced() {
    if (stepsLeft == Integer.MAX_VALUE) {
      return 0;
    }
    int undecided = canvas.undecided(canvas.blockStart(), textEnd.usedBefore(canvas.length()));
    int seeds = spec.attending().encodesContext() ? canvas.blockCount() - 1 - canvas.block() : 0;
    int steps = Math.max(1, stepsLeft - seeds);
    return Math.ceilDiv(Math.max(0, undecided - seeds), steps);
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

  @Override
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

  @Override
  protected void startBlock() {
    blockSteps = 0;
    edits.startBlock();
    exhausted = false;
    policyStart = 0;
    undecidedAtStart = undecidedInBlock();
  }

  private int undecidedInBlock() {
    return canvas.undecided(canvas.blockStart(), canvas.blockEnd());
  }

  @Override
  KeptSequence sequence() {
    return sequence;
  }
}
