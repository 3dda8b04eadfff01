package io.sfumato.server.rpc;

import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.Control.Basis;
import io.sfumato.server.session.Control.BlankSpan;
import io.sfumato.server.session.Control.EditSpan;
import io.sfumato.server.session.Control.FinishNow;
import io.sfumato.server.session.Control.Pause;
import io.sfumato.server.session.Control.PinSpans;
import io.sfumato.server.session.Control.ReopenSpans;
import io.sfumato.server.session.Control.Resume;
import io.sfumato.server.session.Control.Scope;
import io.sfumato.server.session.Control.SetBudget;
import io.sfumato.server.session.Control.StopAfterBlock;
import io.sfumato.server.session.Control.UnpinSpans;
import io.sfumato.v1.Control;
import io.sfumato.v1.SamplingSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Reads the controls of one call. Confined to it. */
final class ControlReader {

  private static final int MOST_RANGES = 1024;

  private final SessionPlan plan;
  private final FrameLog frames;

  ControlReader(SessionPlan plan, FrameLog frames) {
    this.plan = plan;
    this.frames = frames;
  }

  /** What a control asks for, and of whom. */
  sealed interface Wanted {}

  /** For the session, at its next step boundary. */
  record ForSession(io.sfumato.server.session.Control control) implements Wanted {}

  /** The whole canvas. */
  record Keyframe() implements Wanted {}

  /** Another way to stream. */
  record Stream(StreamSettings settings) implements Wanted {}

  /**
   * @throws ServingException INVALID_FIELD, STALE_FRAME, MODEL_CAPABILITY or NOT_BUILT
   */
  Wanted read(Control control) {
    Problems problems = new Problems();
    if (control.getControlId() < 1) {
      problems.invalid("control.control_id", control.getControlId(), "1 or more");
    }
    Optional<Basis> basis = frames.basis(control.getBasisFrame(), problems);
    Wanted wanted = read(control, basis, problems);
    problems.throwIfAny();
    return wanted;
  }

  private Wanted read(Control control, Optional<Basis> basis, Problems problems) {
    int id = control.getControlId();
    return switch (control.getActionCase()) {
      case PIN_SPANS ->
          new ForSession(
              new PinSpans(
                  id,
                  basis,
                  ranges(control.getPinSpans().getRangesList(), "control.pin_spans", problems)));
      case UNPIN_SPANS ->
          new ForSession(
              new UnpinSpans(
                  id,
                  basis,
                  ranges(
                      control.getUnpinSpans().getRangesList(), "control.unpin_spans", problems)));
      case EDIT_SPAN -> edit(id, basis, control.getEditSpan(), problems);
      case REOPEN_SPANS -> {
        io.sfumato.v1.ReopenSpans reopen = control.getReopenSpans();
        List<PositionRange> ranges =
            ranges(reopen.getRangesList(), "control.reopen_spans", problems);
        float noise =
            reopen.hasNoise()
                ? Ranges.number(problems, "control.reopen_spans.noise", reopen.getNoise(), 0, 1)
                : 1;
        yield new ForSession(new ReopenSpans(id, basis, ranges, noise));
      }
      case SET_BUDGET -> budget(id, control.getSetBudget(), problems);
      case FINISH_NOW -> new ForSession(new FinishNow(id, scope(control.getFinishNow(), problems)));
      case STOP_AFTER_BLOCK -> new ForSession(new StopAfterBlock(id));
      case PAUSE -> new ForSession(new Pause(id));
      case RESUME -> new ForSession(new Resume(id));
      case REQUEST_KEYFRAME -> new Keyframe();
      case SET_STREAM ->
          new Stream(
              StreamReader.read(
                  control.getSetStream(), "control.set_stream", plan.model(), true, problems));
      case ACTION_NOT_SET -> {
        problems.invalid("control.action", "absent", "one of its fields");
        yield null;
      }
    };
  }

  private static Scope scope(io.sfumato.v1.FinishNow finish, Problems problems) {
    return switch (finish.getScope()) {
      case SCOPE_UNSPECIFIED, SCOPE_CANVAS -> Scope.CANVAS;
      case SCOPE_BLOCK -> Scope.BLOCK;
      case UNRECOGNIZED -> {
        problems.invalid(
            "control.finish_now.scope", finish.getScopeValue(), "a value of FinishNow.Scope");
        yield Scope.CANVAS;
      }
    };
  }

  private Wanted edit(
      int id, Optional<Basis> basis, io.sfumato.v1.EditSpan edit, Problems problems) {
    String path = "control.edit_span";
    Optional<PositionRange> range = range(edit.getRange(), path + ".range", 0, problems);
    int[] tokens =
        switch (edit.getReplacementCase()) {
          case TEXT -> PromptReader.encode(edit.getText(), path + ".text", plan.model(), problems);
          case TOKEN_IDS ->
              PromptReader.tokens(edit.getTokenIds(), path + ".token_ids", plan.model(), problems);
          case BLANK -> null;
          case REPLACEMENT_NOT_SET -> {
            problems.invalid(path + ".replacement", "absent", "text, token_ids or blank");
            yield null;
          }
        };
    problems.throwIfAny();
    return new ForSession(
        tokens == null
            ? new BlankSpan(id, basis, range.orElseThrow())
            : new EditSpan(id, basis, range.orElseThrow(), tokens));
  }

  private Wanted budget(int id, io.sfumato.v1.SetBudget budget, Problems problems) {
    String path = "control.set_budget";
    if (budget.equals(io.sfumato.v1.SetBudget.getDefaultInstance())) {
      problems.invalid(path, "empty", "one of its fields");
    }
    // Fields of the same meaning, checked in the same way.
    SamplingSpec.Builder asSampling = SamplingSpec.newBuilder();
    if (budget.hasMaxStepsPerBlock()) {
      asSampling.setMaxStepsPerBlock(budget.getMaxStepsPerBlock());
    }
    switch (budget.getAcceptanceCase()) {
      case FIXED_SCHEDULE -> asSampling.setFixedSchedule(budget.getFixedSchedule());
      case CONFIDENCE_THRESHOLD ->
          asSampling.setConfidenceThreshold(budget.getConfidenceThreshold());
      case ENTROPY_BOUND -> asSampling.setEntropyBound(budget.getEntropyBound());
      case JOINT_EDIT -> asSampling.setJointEdit(budget.getJointEdit());
      case ACCEPTANCE_NOT_SET -> {}
    }
    SamplingReader.Budget read =
        SamplingReader.budget(asSampling.build(), path, plan.model().defaults(), problems);
    OptionalLong softDeadline =
        budget.hasSoftDeadline()
            ? OptionalLong.of(
                Ranges.softDeadline(problems, path + ".soft_deadline", budget.getSoftDeadline()))
            : OptionalLong.empty();
    return new ForSession(
        new SetBudget(
            id,
            budget.hasMaxStepsPerBlock()
                ? OptionalInt.of(read.maxStepsPerBlock())
                : OptionalInt.empty(),
            softDeadline,
            budget.getAcceptanceCase() == io.sfumato.v1.SetBudget.AcceptanceCase.ACCEPTANCE_NOT_SET
                ? Optional.empty()
                : Optional.of(read.acceptance())));
  }

  /** Ranges on the canvas, ascending and apart. */
  private List<PositionRange> ranges(
      List<io.sfumato.v1.PositionRange> messages, String path, Problems problems) {
    String field = path + ".ranges";
    Ranges.count(problems, field, messages.size(), "ranges", 1, MOST_RANGES);
    List<PositionRange> ranges = new ArrayList<>();
    int least = 0;
    for (int index = 0; index < messages.size() && index < MOST_RANGES; index++) {
      Optional<PositionRange> range =
          range(messages.get(index), field + "[" + index + "]", least, problems);
      if (range.isPresent()) {
        ranges.add(range.get());
        least = range.get().end();
      }
    }
    return ranges;
  }

  private Optional<PositionRange> range(
      io.sfumato.v1.PositionRange message, String path, int least, Problems problems) {
    int canvas = plan.spec().start().length();
    int start = message.getStart();
    int length = message.getLength();
    if (start < least || start >= canvas) {
      String expected = least < canvas ? least + ".." + (canvas - 1) : "no more ranges";
      problems.invalid(path + ".start", start, expected);
      return Optional.empty();
    }
    if (length < 1 || length > canvas - start) {
      problems.invalid(path + ".length", length, "1.." + (canvas - start));
      return Optional.empty();
    }
    return Optional.of(new PositionRange(start, length));
  }
}
