package io.sfumato.server.rpc;

import io.sfumato.server.error.ServingException;
import io.sfumato.server.session.Control.FinishNow;
import io.sfumato.server.session.Control.Scope;
import io.sfumato.server.session.Control.StopAfterBlock;
import io.sfumato.v1.Control;

/** Reads controls. Pure. */
final class ControlReader {

  private ControlReader() {}

  /** What a control asks for, and of whom. */
  sealed interface Wanted {}

  /** For the session, at its next step boundary. */
  record ForSession(io.sfumato.server.session.Control control) implements Wanted {}

  /** The whole canvas. */
  record Keyframe() implements Wanted {}

  /** Another way to stream. */
  record Stream(StreamSettings settings) implements Wanted {}

  /**
   * @param hasText whether the model has a tokenizer
   * @throws ServingException INVALID_FIELD or NOT_BUILT
   */
  static Wanted read(Control control, boolean hasText) {
    Problems problems = new Problems();
    int controlId = control.getControlId();
    if (controlId < 1) {
      problems.invalid("control.control_id", controlId, "1 or more");
    }
    if (control.getBasisFrame() < 0) {
      problems.invalid("control.basis_frame", control.getBasisFrame(), "0 or more");
    }
    Wanted wanted = null;
    switch (control.getActionCase()) {
      case FINISH_NOW -> {
        Scope scope = Scope.CANVAS;
        switch (control.getFinishNow().getScope()) {
          case SCOPE_UNSPECIFIED, SCOPE_CANVAS -> {}
          case SCOPE_BLOCK -> scope = Scope.BLOCK;
          case UNRECOGNIZED ->
              problems.invalid(
                  "control.finish_now.scope",
                  control.getFinishNow().getScopeValue(),
                  "a value of FinishNow.Scope");
        }
        wanted = new ForSession(new FinishNow(controlId, scope));
      }
      case STOP_AFTER_BLOCK -> wanted = new ForSession(new StopAfterBlock(controlId));
      case REQUEST_KEYFRAME -> wanted = new Keyframe();
      case SET_STREAM ->
          wanted =
              new Stream(
                  StreamReader.read(
                      control.getSetStream(), "control.set_stream", hasText, true, problems));
      case PIN_SPANS -> problems.notBuilt("control.pin_spans", "set");
      case UNPIN_SPANS -> problems.notBuilt("control.unpin_spans", "set");
      case EDIT_SPAN -> problems.notBuilt("control.edit_span", "set");
      case REOPEN_SPANS -> problems.notBuilt("control.reopen_spans", "set");
      case SET_BUDGET -> problems.notBuilt("control.set_budget", "set");
      case PAUSE -> problems.notBuilt("control.pause", "set");
      case RESUME -> problems.notBuilt("control.resume", "set");
      case ACTION_NOT_SET -> problems.invalid("control.action", "absent", "one of its fields");
    }
    problems.throwIfAny();
    return wanted;
  }
}
