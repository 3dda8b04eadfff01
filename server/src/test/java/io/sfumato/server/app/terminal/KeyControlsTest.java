package io.sfumato.server.app.terminal;

import static io.sfumato.v1.TokenState.TOKEN_STATE_COMMITTED;
import static io.sfumato.v1.TokenState.TOKEN_STATE_PROVISIONAL;
import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.v1.Control;
import io.sfumato.v1.ControlApplied;
import io.sfumato.v1.ControlRejected;
import io.sfumato.v1.Event;
import io.sfumato.v1.FinishNow;
import io.sfumato.v1.Finished;
import io.sfumato.v1.PositionAlternatives;
import io.sfumato.v1.Progress;
import io.sfumato.v1.Status;
import io.sfumato.v1.TokenAlternative;
import org.junit.jupiter.api.Test;

class KeyControlsTest {

  private final KeyControls controls = new KeyControls();
  private final CanvasView view =
      Canvases.view(
          Canvases.span(0, TOKEN_STATE_COMMITTED, 255, "A", " b"),
          Canvases.span(2, TOKEN_STATE_PROVISIONAL, 90, " c", " d", " e"),
          Canvases.undecided(5, 3));

  @Test
  void aSelectionBeginsWhereTheCanvasIsNotFinal() {
    assertThat(controls.selection().isNone()).isTrue();
    press(Key.RIGHT);
    assertThat(controls.selection()).hasToString("2");
    press(Key.EXTEND_RIGHT, Key.RIGHT);
    assertThat(controls.selection()).hasToString("3..4");
    press(Key.FAR_RIGHT);
    assertThat(controls.selection()).hasToString("6..7");
    press(Key.EXTEND_LEFT, Key.EXTEND_LEFT, Key.FAR_LEFT);
    assertThat(controls.selection()).hasToString("0..1");
    controls.press(Key.LEFT, new CanvasView());
    assertThat(new KeyControls().press(Key.LEFT, new CanvasView())).isEmpty();
  }

  @Test
  void alternativesOfTheSelectionAreShown() {
    press(Key.RIGHT);
    assertThat(send(Key.ALTERNATIVES).getSetStream().getMaxAlternatives()).isEqualTo(5);
    assertThat(controls.footer(view)).hasSize(3);
    view.apply(
        Canvases.delta(
            1,
            2,
            Canvases.span(2, TOKEN_STATE_PROVISIONAL, 90, " c").toBuilder()
                .addAlternatives(
                    PositionAlternatives.newBuilder()
                        .setPosition(2)
                        .addAlternatives(alternative(7, " c", .62f))
                        .addAlternatives(alternative(1, "", .3f)))
                .build()));
    assertThat(controls.footer(view).get(2)).isEqualTo("c 62 %   #1 30 %");
    controls.accept(rejected(1, "max_alternatives: 5 (expected: <= 0)"));
    assertThat(news()).isEqualTo("alternatives: max_alternatives: 5 (expected: <= 0)");
    assertThat(send(Key.ALTERNATIVES).getSetStream().getMaxAlternatives()).isEqualTo(5);
    assertThat(send(Key.ALTERNATIVES).getSetStream().getMaxAlternatives()).isZero();
  }

  private static TokenAlternative alternative(int token, String text, float probability) {
    return TokenAlternative.newBuilder()
        .setTokenId(token)
        .setText(text)
        .setProbability(probability)
        .build();
  }

  @Test
  void controlsNameTheFrameThatIsSeen() {
    press(Key.RIGHT, Key.EXTEND_RIGHT);
    Control pin = send(Key.PIN);
    assertThat(pin.getControlId()).isEqualTo(1);
    assertThat(pin.getBasisFrame()).isEqualTo(1);
    assertThat(pin.getPinSpans().getRanges(0).getStart()).isEqualTo(2);
    assertThat(pin.getPinSpans().getRanges(0).getLength()).isEqualTo(2);
    assertThat(news()).isEqualTo("pin 2..3 ...");
    controls.accept(applied(1, 7));
    assertThat(news()).isEqualTo("pin 2..3: step 7");
    view.apply(Canvases.delta(1, 2));
    Control unpin = send(Key.UNPIN);
    assertThat(unpin.getControlId()).isEqualTo(2);
    assertThat(unpin.getBasisFrame()).isEqualTo(2);
    assertThat(unpin.hasUnpinSpans()).isTrue();
    assertThat(send(Key.REOPEN_HALF).getReopenSpans().getNoise()).isEqualTo(0.5f);
    assertThat(send(Key.REOPEN).getReopenSpans().getNoise()).isEqualTo(1);
    assertThat(send(Key.BLANK).getEditSpan().hasBlank()).isTrue();
    assertThat(send(Key.FINISH).getFinishNow().getScope()).isEqualTo(FinishNow.Scope.SCOPE_CANVAS);
  }

  @Test
  void refusalsAreShown() {
    press(Key.PIN);
    assertThat(news()).isEqualTo("selection: none (expected: some tokens; press an arrow)");
    press(Key.FAR_RIGHT);
    send(Key.PIN);
    controls.accept(rejected(1, "position 2: COMMITTED since"));
    assertThat(news()).isEqualTo("pin 2: position 2: COMMITTED since");
  }

  @Test
  void aStepIsAResumeAndThenAPause() {
    press(Key.STEP);
    assertThat(news()).isEqualTo("step: running (expected: paused)");
    assertThat(send(Key.PAUSE).hasPause()).isTrue();
    assertThat(keys()).startsWith("space resume   s step");
    controls.accept(applied(1, 3));
    assertThat(send(Key.STEP).hasResume()).isTrue();
    assertThat(controls.press(Key.STEP, view)).isEmpty();
    Control pause = controls.accept(applied(2, 3)).orElseThrow();
    assertThat(pause.hasPause()).isTrue();
    assertThat(pause.getControlId()).isEqualTo(3);
    controls.accept(frame(4));
    assertThat(controls.accept(applied(3, 4))).isEmpty();
    assertThat(news()).isEqualTo("step: step 4");
    assertThat(keys()).startsWith("space resume");
    assertThat(send(Key.PAUSE).hasResume()).isTrue();
    assertThat(controls.accept(applied(4, 4))).isEmpty();
    assertThat(keys()).startsWith("space pause");
  }

  @Test
  void spaceDuringAStepGoesOn() {
    send(Key.PAUSE);
    controls.accept(applied(1, 3));
    send(Key.STEP);
    assertThat(send(Key.PAUSE).hasResume()).isTrue();
    assertThat(controls.accept(applied(2, 3))).isEmpty();
    assertThat(controls.accept(applied(3, 3))).isEmpty();
    assertThat(keys()).startsWith("space pause");
  }

  @Test
  void aPauseThatTheServerEndsIsOver() {
    send(Key.PAUSE);
    controls.accept(frame(3));
    controls.accept(applied(1, 3));
    controls.accept(frame(3));
    assertThat(keys()).startsWith("space resume");
    controls.accept(frame(4));
    assertThat(keys()).startsWith("space pause");
  }

  @Test
  void unansweredControlsAreBounded() {
    press(Key.RIGHT);
    for (int count = 0; count < 16; count++) {
      send(Key.PIN);
    }
    assertThat(controls.press(Key.PIN, view)).isEmpty();
    assertThat(news()).isEqualTo("unanswered controls: 16 (expected: fewer; wait)");
    controls.accept(applied(1, 1));
    assertThat(send(Key.PIN).getControlId()).isEqualTo(17);
  }

  @Test
  void afterTheEndNothingIsAsked() {
    press(Key.RIGHT);
    controls.accept(Event.newBuilder().setFinished(Finished.getDefaultInstance()).build());
    assertThat(controls.press(Key.PIN, view)).isEmpty();
    assertThat(controls.footer(view)).isEmpty();
    assertThat(controls.selection().isNone()).isTrue();
  }

  private void press(Key... keys) {
    for (Key key : keys) {
      assertThat(controls.press(key, view)).isEmpty();
    }
  }

  private Control send(Key key) {
    return controls.press(key, view).orElseThrow();
  }

  private String keys() {
    return controls.footer(view).getFirst();
  }

  private String news() {
    return controls.footer(view).getLast();
  }

  private static Event rejected(int controlId, String message) {
    return Event.newBuilder()
        .setControlRejected(
            ControlRejected.newBuilder()
                .setControlId(controlId)
                .setStatus(Status.newBuilder().setMessage(message)))
        .build();
  }

  private static Event applied(int controlId, int step) {
    return Event.newBuilder()
        .setStep(step)
        .setControlApplied(ControlApplied.newBuilder().setControlId(controlId).setStep(step))
        .build();
  }

  private static Event frame(int step) {
    return Event.newBuilder().setStep(step).setProgress(Progress.getDefaultInstance()).build();
  }
}
