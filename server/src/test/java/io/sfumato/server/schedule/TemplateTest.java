package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SlotValue;
import io.sfumato.server.session.Template;
import io.sfumato.server.session.Template.ChoiceSlot;
import io.sfumato.server.session.Template.FreeSlot;
import io.sfumato.server.session.Template.Option;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** How the slots of a template are filled, with literal proposals of a model. */
final class TemplateTest {

  private static final int END = LoopFixture.END_OF_TEXT;
  private static final int MASK = LoopFixture.MASK;

  private final List<SessionEvent> events = new ArrayList<>();
  private LoopFixture fixture;
  private SessionHandle session;

  private void open(TableScript script, Specs specs) {
    fixture = new LoopFixture(LoopFixture.limits(2, 4, 400), 2, script);
    session = fixture.open(specs.prompt().block(64).endOfText(END));
  }

  private int[] step() {
    fixture.loop.step();
    events.addAll(LoopFixture.drain(session));
    return LoopFixture.of(events, SessionEvent.CanvasChanged.class).getLast().snapshot().tokens();
  }

  private SessionEvent.Finished finish() {
    fixture.finish();
    events.addAll(LoopFixture.drain(session));
    return (SessionEvent.Finished) events.getLast();
  }

  private static CanvasStart pinned(int... tokens) {
    boolean[] pinned = new boolean[tokens.length];
    for (int position = 0; position < tokens.length; position++) {
      pinned[position] = tokens[position] != CanvasSnapshot.NO_TOKEN;
    }
    return new CanvasStart(tokens, pinned, List.of());
  }

  private static ChoiceSlot choice(int start, int[]... options) {
    int length = Arrays.stream(options).mapToInt(option -> option.length).max().orElseThrow();
    return new ChoiceSlot(
        "choice", start, length, Arrays.stream(options).map(o -> new Option("", o)).toList());
  }

  private static FreeSlot free(int start, int length, int end) {
    return new FreeSlot("free", start, length, token -> token == end);
  }

  @Test
  void aChoiceIsTheOptionWhoseTokensAreMostProbableInTheMean() {
    TableScript script =
        new TableScript(4).probe(1, 20, .4f).probe(1, 21, .3f).probe(2, 22, .2f).probe(2, 23, .8f);
    Template template =
        new Template(
            List.of(choice(1, new int[] {20}, new int[] {20, 22}, new int[] {21, 23})), END, 4);
    open(script, new Specs().start(pinned(5, -1, -1, 6)).template(template));
    assertThat(step()).containsExactly(5, 21, 23, 6);
    assertThat(script.lastTokens).containsExactly(5, MASK, MASK, 6);
    assertThat(script.lastRows).as("each token once").containsExactly(1, 1, 2, 2);
    SessionEvent.Finished finished = finish();
    assertThat(finished.reason()).isEqualTo(FinishReason.MAX_LENGTH);
    double[] scores = {
      Math.log(.4), (Math.log(.4) + Math.log(.2)) / 2, (Math.log(.3) + Math.log(.8)) / 2
    };
    double total = Math.log(Arrays.stream(scores).map(Math::exp).sum());
    SlotValue value = finished.slots().getFirst();
    assertThat(value.tokens()).containsExactly(21, 23);
    assertThat(value.logProbability()).isCloseTo(scores[2] - total, within(1e-6));
    for (int option = 0; option < scores.length; option++) {
      assertThat(value.optionLogProbabilities()[option])
          .isCloseTo(scores[option] - total, within(1e-6));
    }
  }

  @Test
  void paddingFollowsAShortOptionAndWhatIsFixedBehindItStays() {
    TableScript script = new TableScript(4).probe(0, 20, .9f).probe(0, 21, .1f).probe(1, 22, .1f);
    Template template =
        new Template(List.of(choice(0, new int[] {20}, new int[] {21, 22})), END, 4);
    open(script, new Specs().start(pinned(-1, -1, 6, 7)).template(template));
    SessionEvent.Finished finished = finish();
    assertThat(finished.tokens()).containsExactly(20, END, 6, 7);
    assertThat(finished.slots().getFirst().tokens()).containsExactly(20);
  }

  @Test
  void aChoiceWaitsUntilItComesFirst() {
    TableScript script =
        new TableScript(3).confidences(.5f, .5f, .95f).probe(1, 20, .9f).probe(1, 21, .1f);
    Template template =
        new Template(
            List.of(free(0, 1, -1), choice(1, new int[] {20}, new int[] {21}), free(2, 1, -1)),
            END,
            3);
    open(script, new Specs().start(CanvasStart.undecided(3)).template(template));
    assertThat(step()).containsExactly(-1, -1, 12);
    assertThat(step()).containsExactly(10, -1, 12);
    assertThat(step()).containsExactly(10, 20, 12);
  }

  @Test
  void aFreeSlotEndsBeforeAnEndOfTextOrWhatEndsIt() {
    TableScript script = new TableScript(9).token(1, END).token(5, 33);
    Arrays.fill(script.confidences, .5f);
    script.confidences(.95f, .95f, .95f, .5f, .95f, .95f, .95f, .95f, .5f);
    Template template = new Template(List.of(free(0, 4, -1), free(4, 4, 33)), END, 9);
    open(script, new Specs().start(pinned(-1, -1, -1, -1, -1, -1, -1, -1, 8)).template(template));
    assertThat(step()).containsExactly(10, END, END, END, 14, END, END, END, 8);
    SessionEvent.Finished finished = finish();
    assertThat(finished.slots().get(0).tokens()).containsExactly(10);
    assertThat(finished.slots().get(0).logProbability()).isCloseTo(Math.log(.95), within(1e-6));
    assertThat(finished.slots().get(1).tokens()).containsExactly(14);
    assertThat(finished.slots().get(1).optionLogProbabilities()).isEmpty();
  }

  @Test
  void anEndOfTextInTheLastSlotEndsTheCanvas() {
    TableScript script = new TableScript(4).token(2, END);
    Template template = new Template(List.of(free(1, 3, -1)), END, 1);
    open(script, new Specs().start(pinned(5, -1, -1, -1)).template(template).steps(1, 1));
    SessionEvent.Finished finished = finish();
    assertThat(finished.reason()).isEqualTo(FinishReason.END_OF_TEXT);
    assertThat(finished.tokens()).containsExactly(5, 11);
    assertThat(finished.slots().getFirst().tokens()).containsExactly(11);
  }

  @Test
  void theLastStepDecidesEveryChoice() {
    TableScript script = new TableScript(3);
    for (int position : new int[] {0, 2}) {
      script.probe(position, 20, .3f).probe(position, 21, .6f);
    }
    int[][] options = {{20}, {21}};
    Template template = new Template(List.of(choice(0, options), choice(2, options)), END, 3);
    open(script, new Specs().start(pinned(-1, 5, -1)).template(template).steps(1, 1));
    SessionEvent.Finished finished = finish();
    assertThat(finished.tokens()).containsExactly(21, 5, 21);
    assertThat(finished.usage().forwardPasses()).isEqualTo(1);
  }

  @Test
  void anOptionIsChosenAgainAsAWhole() {
    TableScript script =
        new TableScript(4).probe(0, 20, .1f).probe(0, 21, .2f).probe(1, 22, .1f).probe(1, 23, .2f);
    script.confidences(.1f, .1f, .1f, .1f);
    Template template =
        new Template(
            List.of(choice(0, new int[] {20, 22}, new int[] {21, 23}), free(2, 2, -1)), END, 4);
    open(script, new Specs().start(CanvasStart.undecided(4)).template(template));
    assertThat(step()).startsWith(21, 23);
    script.probe(0, 20, .9f).probe(1, 22, .9f);
    session.control(
        new Control.ReopenSpans(1, Optional.empty(), List.of(new PositionRange(1, 1)), 1));
    assertThat(step()).startsWith(20, 22);
    assertThat(finish().slots().getFirst().tokens()).containsExactly(20, 22);
  }

  @Test
  void aSlotThatTheClientFillsIsReportedAsItStands() {
    TableScript script = new TableScript(3).probe(0, 20, .1f).probe(0, 21, .2f);
    script.confidences(.1f, .1f, .1f);
    Template template =
        new Template(List.of(choice(0, new int[] {20}, new int[] {21}), free(1, 2, -1)), END, 3);
    open(script, new Specs().start(CanvasStart.undecided(3)).template(template));
    step();
    PositionRange first = new PositionRange(0, 1);
    session.control(new Control.EditSpan(1, Optional.empty(), first, new int[] {44, 45}));
    session.control(new Control.EditSpan(2, Optional.empty(), first, new int[] {44}));
    SessionEvent.Finished finished = finish();
    assertThat(LoopFixture.of(events, SessionEvent.ControlRejected.class))
        .singleElement()
        .satisfies(rejected ->
            assertThat(rejected.reason())
                .hasMessage(
                    "edit_span: 2 tokens for 1 positions"
                        + " (expected: as many, the slots of a template keep their places)"));
    assertThat(finished.tokens()).containsExactly(44, 11, 12);
    assertThat(finished.slots().getFirst().tokens()).containsExactly(44);
    assertThat(finished.slots().getFirst().optionLogProbabilities()).isEmpty();
  }
}
