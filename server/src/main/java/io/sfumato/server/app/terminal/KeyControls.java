package io.sfumato.server.app.terminal;

import io.sfumato.v1.Blank;
import io.sfumato.v1.Control;
import io.sfumato.v1.ControlApplied;
import io.sfumato.v1.ControlRejected;
import io.sfumato.v1.EditSpan;
import io.sfumato.v1.Event;
import io.sfumato.v1.FinishNow;
import io.sfumato.v1.Pause;
import io.sfumato.v1.PinSpans;
import io.sfumato.v1.ReopenSpans;
import io.sfumato.v1.Resume;
import io.sfumato.v1.TokenAlternative;
import io.sfumato.v1.TokenState;
import io.sfumato.v1.UnpinSpans;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Turns keys into controls of the contract: keeps the selection, whether the session is paused, and
 * what was answered last. Confined to one thread at a time.
 */
public final class KeyControls {

  /** As many as the transport lets through before it has answers. */
  private static final int MOST_UNANSWERED = 16;

  private static final int FAR = 10; // positions
  private static final int MOST_ALTERNATIVES = 5;
  private static final float HALF = 0.5f;
  private static final int NEVER = Integer.MAX_VALUE;

  /**
   * What was asked last: to go on, to pause, or, for one step, first the one and then the other.
   */
  private enum Pace {
    RUNNING,
    PAUSED,
    STEP_BEGUN,
    STEP_ENDING
  }

  private final Map<Integer, String> unanswered = new HashMap<>(); // by control id
  private Selection selection = Selection.NONE;
  private int controlId;
  private Pace pace = Pace.RUNNING;
  private int paceControl; // that asked for it
  private int pausedAt = NEVER; // steps done when the pause took effect
  private String news = "";
  private boolean showsAlternatives;
  private int streamControl; // that asked for them or for none
  private boolean over;

  /**
   * What to send for a key. {@link Key#CANCEL} is no control: it ends the call.
   *
   * @param view what the person sees
   */
  public Optional<Control> press(Key key, CanvasView view) {
    if (over) {
      return Optional.empty();
    }
    return switch (key) {
      case LEFT -> move(-1, view);
      case RIGHT -> move(1, view);
      case FAR_LEFT -> move(-FAR, view);
      case FAR_RIGHT -> move(FAR, view);
      case EXTEND_LEFT -> extend(-1, view);
      case EXTEND_RIGHT -> extend(1, view);
      case PAUSE, STEP, FINISH -> room() ? pace(key) : Optional.empty();
      case PIN, UNPIN, REOPEN_HALF, REOPEN, BLANK ->
          room() ? onSelection(key, view) : Optional.empty();
      case ALTERNATIVES -> room() ? alternatives(!showsAlternatives) : Optional.empty();
      case CANCEL -> Optional.empty();
    };
  }

  private Optional<Control> alternatives(boolean wanted) {
    Control.Builder control =
        control().setSetStream(CanvasView.stream(wanted ? MOST_ALTERNATIVES : 0));
    streamControl = controlId;
    showsAlternatives = wanted;
    return ask(wanted ? "alternatives" : "no alternatives", control);
  }

  private Optional<Control> move(int by, CanvasView view) {
    if (select(view)) {
      selection = selection.moved(by, view.length());
    }
    return Optional.empty();
  }

  private Optional<Control> extend(int by, CanvasView view) {
    if (select(view)) {
      selection = selection.extended(by, view.length());
    }
    return Optional.empty();
  }

  /** Whether there was a selection; else one begins at the first position that is not final. */
  private boolean select(CanvasView view) {
    if (!selection.isNone() || view.length() == 0) {
      return !selection.isNone();
    }
    int first = 0;
    while (first < view.length() - 1 && view.state(first) == TokenState.TOKEN_STATE_COMMITTED) {
      first++;
    }
    selection = Selection.at(first);
    return false;
  }

  private boolean room() {
    if (unanswered.size() < MOST_UNANSWERED) {
      return true;
    }
    news = "unanswered controls: " + unanswered.size() + " (expected: fewer; wait)";
    return false;
  }

  private Optional<Control> pace(Key key) {
    if (key == Key.FINISH) {
      FinishNow canvas = FinishNow.newBuilder().setScope(FinishNow.Scope.SCOPE_CANVAS).build();
      return ask("finish", control().setFinishNow(canvas));
    }
    if (key == Key.PAUSE) {
      return pace == Pace.RUNNING ? pause("pause", Pace.PAUSED) : resume("resume", Pace.RUNNING);
    }
    if (pace != Pace.PAUSED) {
      news = "step: running (expected: paused)";
      return Optional.empty();
    }
    return resume("step", Pace.STEP_BEGUN);
  }

  private Optional<Control> pause(String what, Pace next) {
    Control.Builder control = control().setPause(Pause.getDefaultInstance());
    paceControl = controlId;
    pace = next;
    return ask(what, control);
  }

  private Optional<Control> resume(String what, Pace next) {
    Control.Builder control = control().setResume(Resume.getDefaultInstance());
    paceControl = controlId;
    pace = next;
    pausedAt = NEVER;
    return ask(what, control);
  }

  private Optional<Control> onSelection(Key key, CanvasView view) {
    if (selection.isNone()) {
      news = "selection: none (expected: some tokens; press an arrow)";
      return Optional.empty();
    }
    Control.Builder control = control().setBasisFrame(view.frame());
    return switch (key) {
      case PIN ->
          ask(
              "pin " + selection,
              control.setPinSpans(PinSpans.newBuilder().addRanges(selection.range())));
      case UNPIN ->
          ask(
              "unpin " + selection,
              control.setUnpinSpans(UnpinSpans.newBuilder().addRanges(selection.range())));
      case REOPEN_HALF -> ask("reopen half of " + selection, control.setReopenSpans(reopen(HALF)));
      case REOPEN -> ask("reopen " + selection, control.setReopenSpans(reopen(1)));
      case BLANK ->
          ask(
              "blank " + selection,
              control.setEditSpan(
                  EditSpan.newBuilder()
                      .setRange(selection.range())
                      .setBlank(Blank.getDefaultInstance())));
      case PAUSE,
          STEP,
          FINISH,
          CANCEL,
          ALTERNATIVES,
          LEFT,
          RIGHT,
          FAR_LEFT,
          FAR_RIGHT,
          EXTEND_LEFT,
          EXTEND_RIGHT ->
          throw new IllegalArgumentException("key: " + key + " (expected: one on a selection)");
    };
  }

  private ReopenSpans reopen(float noise) {
    return ReopenSpans.newBuilder().addRanges(selection.range()).setNoise(noise).build();
  }

  private Control.Builder control() {
    return Control.newBuilder().setControlId(++controlId);
  }

  private Optional<Control> ask(String what, Control.Builder control) {
    unanswered.put(control.getControlId(), what);
    news = what + " ...";
    return Optional.of(control.build());
  }

  /**
   * Takes note of what the server tells.
   *
   * @return what to send at once: the pause that ends a single step
   */
  public Optional<Control> accept(Event event) {
    return switch (event.getKindCase()) {
      case CONTROL_APPLIED -> applied(event.getControlApplied());
      case CONTROL_REJECTED -> {
        rejected(event.getControlRejected());
        yield Optional.empty();
      }
      case FINISHED -> {
        end();
        yield Optional.empty();
      }
      case ACCEPTED, PROGRESS, CANVAS_KEYFRAME, CANVAS_DELTA, BLOCK_COMMITTED -> {
        if (event.getStep() > pausedAt) {
          pace = Pace.RUNNING; // the server has ended the pause
          pausedAt = NEVER;
        }
        yield Optional.empty();
      }
      case WARNING, GO_AWAY, KIND_NOT_SET -> Optional.empty();
    };
  }

  private Optional<Control> applied(ControlApplied applied) {
    String what = unanswered.remove(applied.getControlId());
    news = what + ": step " + applied.getStep();
    if (applied.getControlId() != paceControl || pace == Pace.RUNNING) {
      return Optional.empty();
    }
    if (pace == Pace.STEP_BEGUN) {
      return pause("step", Pace.STEP_ENDING);
    }
    pace = Pace.PAUSED;
    pausedAt = applied.getStep();
    return Optional.empty();
  }

  private void rejected(ControlRejected rejected) {
    news = unanswered.remove(rejected.getControlId()) + ": " + rejected.getStatus().getMessage();
    if (rejected.getControlId() == paceControl) {
      pace = Pace.RUNNING;
    }
    if (rejected.getControlId() == streamControl) {
      showsAlternatives = !showsAlternatives;
    }
  }

  /** The session is over: nothing more is asked or shown. */
  public void end() {
    over = true;
    selection = Selection.NONE;
  }

  Selection selection() {
    return selection;
  }

  /**
   * Lines to show below the canvas: keys, what the model held probable where the selection begins,
   * and what was answered last; none when it is over.
   *
   * @param view what the person sees
   */
  public List<String> footer(CanvasView view) {
    if (over) {
      return List.of();
    }
    String keys = pace == Pace.RUNNING ? "space pause" : "space resume   s step";
    String onSelection =
        selection.isNone()
            ? "nothing selected"
            : selection + "   p pin   u unpin   o reopen half   O reopen all   b blank";
    List<String> lines = new ArrayList<>();
    lines.add(keys + "   f finish   q cancel   ←→ ↑↓ select   [ ] extend   a alternatives");
    lines.add(onSelection);
    if (!selection.isNone() && !view.alternatives(selection.first()).isEmpty()) {
      lines.add(
          view.alternatives(selection.first()).stream()
              .map(KeyControls::words)
              .collect(Collectors.joining("   ")));
    }
    lines.add(news);
    return lines;
  }

  private static String words(TokenAlternative alternative) {
    String text = alternative.getText().strip();
    return String.format(
        Locale.ROOT,
        "%s %.0f %%",
        text.isEmpty() ? "#" + alternative.getTokenId() : text,
        100 * alternative.getProbability());
  }
}
