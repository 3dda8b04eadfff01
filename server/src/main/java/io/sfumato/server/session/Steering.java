package io.sfumato.server.session;

import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.Revision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Applies controls to a session, each as a whole or not at all.
 *
 * <p>A control about an older canvas is rebased: its positions are moved as later edits have moved
 * what stood there. It is refused when an edit has replaced part of it since, or a position of it
 * was committed since.
 *
 * <p>Confined to the engine thread.
 */
final class Steering {

  private final Course denoiser;
  private final Canvas canvas;
  private final Pace pace;
  private final Ending ending;

  Steering(Course denoiser, Pace pace, Ending ending) {
    this.denoiser = denoiser;
    this.pace = pace;
    this.ending = ending;
    canvas = denoiser.canvas();
  }

  /**
   * @throws ServingException CONTROL_NOT_APPLICABLE or STALE_FRAME, and nothing was changed
   */
  void apply(Control control, long nowNanos) {
    switch (control) {
      case Control.OnCanvas onCanvas -> apply(onCanvas);
      case Control.SetBudget budget -> {
        denoiser.setBudget(budget.maxStepsPerBlock(), budget.acceptance());
        budget.softDeadlineNanos().ifPresent(nanos -> pace.softDeadline(nowNanos + nanos));
      }
      case Control.Pause ignored -> pace.pause(nowNanos);
      case Control.Resume ignored -> pace.resume();
      case Control.FinishNow finishNow -> {
        denoiser.finish(finishNow.scope());
        pace.resume();
        if (finishNow.scope() == Control.Scope.CANVAS) {
          ending.force(FinishReason.FINISHED_BY_CLIENT);
        }
      }
      case Control.StopAfterBlock ignored -> ending.afterBlock();
      case Control.StopAt stop -> ending.stopAt(stop.length());
    }
  }

  private void apply(Control.OnCanvas control) {
    switch (control) {
      case Control.PinSpans pin ->
          canvas.pin(
              locate(
                  pin.ranges(),
                  pin.basis(),
                  state -> state == TokenState.PROVISIONAL || state == TokenState.PINNED,
                  "PROVISIONAL or PINNED"));
      case Control.UnpinSpans unpin ->
          canvas.unpin(
              locate(unpin.ranges(), unpin.basis(), state -> state == TokenState.PINNED, "PINNED"));
      case Control.EditSpan edit -> edit(edit);
      case Control.BlankSpan blank -> canvas.blank(uncommitted(blank.range(), blank.basis()));
      case Control.ReopenSpans reopen -> reopen(reopen);
    }
  }

  private void edit(Control.EditSpan edit) {
    PositionRange range = uncommitted(edit.range(), edit.basis());
    if (denoiser.hasTemplate() && edit.tokens().length != range.length()) {
      throw new ServingException(
          ErrorReason.CONTROL_NOT_APPLICABLE,
          "edit_span: "
              + edit.tokens().length
              + " tokens for "
              + range.length()
              + " positions (expected: as many, the slots of a template keep their places)");
    }
    int most = range.length() + canvas.room(range);
    if (edit.tokens().length > most) {
      throw new ServingException(
          ErrorReason.CONTROL_NOT_APPLICABLE,
          "edit_span: "
              + edit.tokens().length
              + " tokens for "
              + range.length()
              + " positions (expected: at most "
              + most
              + ", so that what is pinned behind them keeps a place)");
    }
    canvas.replace(range, edit.tokens());
  }

  private void reopen(Control.ReopenSpans reopen) {
    List<PositionRange> ranges =
        locate(
            reopen.ranges(),
            reopen.basis(),
            state -> state == TokenState.PROVISIONAL || state == TokenState.UNDECIDED,
            "PROVISIONAL or UNDECIDED");
    int[] opened = new int[canvas.length()];
    int count = 0;
    for (PositionRange range : ranges) {
      for (int position : doubtful(range, reopen.noise())) {
        opened[count++] = position;
      }
    }
    canvas.reopen(opened, count);
  }

  /** The share of a range's provisional positions that the model was least sure of. */
  private int[] doubtful(PositionRange range, float noise) {
    long[] ranked = new long[range.length()]; // confidence in the upper half, position in the lower
    int count = 0;
    for (int position = range.start(); position < range.end(); position++) {
      if (canvas.state(position) == TokenState.PROVISIONAL) {
        ranked[count++] = Revision.rank(canvas.confidence(position), position);
      }
    }
    Arrays.sort(ranked, 0, count);
    int[] positions = new int[Revision.opened(count, noise)];
    for (int index = 0; index < positions.length; index++) {
      positions[index] = (int) ranked[index];
    }
    return positions;
  }

  private PositionRange uncommitted(PositionRange range, Optional<Control.Basis> basis) {
    return locate(
            List.of(range),
            basis,
            state -> state != TokenState.COMMITTED,
            "UNDECIDED, PROVISIONAL or PINNED")
        .getFirst();
  }

  private List<PositionRange> locate(
      List<PositionRange> ranges,
      Optional<Control.Basis> basis,
      Predicate<TokenState> allowed,
      String expected) {
    List<PositionRange> located = new ArrayList<>(ranges.size());
    for (PositionRange range : ranges) {
      PositionRange now = basis.isEmpty() ? range : rebase(range, basis.get());
      for (int position = now.start(); position < now.end(); position++) {
        if (!allowed.test(canvas.state(position))) {
          throw notAllowed(position, basis, expected);
        }
      }
      located.add(now);
    }
    return located;
  }

  private PositionRange rebase(PositionRange range, Control.Basis basis) {
    return canvas
        .locate(range, basis.changes())
        .orElseThrow(() ->
            new ServingException(
                ErrorReason.STALE_FRAME,
                "positions "
                    + range.start()
                    + ".."
                    + (range.end() - 1)
                    + ": edited since (expected: still there)"));
  }

  private ServingException notAllowed(
      int position, Optional<Control.Basis> basis, String expected) {
    TokenState state = canvas.state(position);
    boolean stale =
        state == TokenState.COMMITTED
            && basis.isPresent()
            && position >= basis.get().committedLength();
    return new ServingException(
        stale ? ErrorReason.STALE_FRAME : ErrorReason.CONTROL_NOT_APPLICABLE,
        "position "
            + position
            + ": "
            + state
            + (stale ? " since" : "")
            + " (expected: "
            + expected
            + ")");
  }
}
