package io.sfumato.server.app.bench.policies;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.session.SessionEvent;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The server's policies over runs written by hand, in literal numbers. */
final class PolicyReplayTest {

  private static final TraceHeader HEADER = Traces.header(1);

  @ParameterizedTest
  @CsvSource({
    // one token per pass where no two reach .85
    "threshold:0.85, 4, 1.00, 1",
    // 0 and 1 at once, the wrong 8 at 1; then 2 and 3, for which the newest and the first are taken
    "threshold:0.6, 2, 0.75, 0",
    "threshold:0, 2, 0.75, 0",
    // pass 1: 2 alone is above; pass 2: 1
    "threshold:0.75, 4, 1.00, 1",
    // pass 1: both
    "threshold:0.7, 3, 1.00, 1",
    "fixed:4, 4, 1.00, 1",
    "fixed:2, 2, 0.75, 0",
    // the last step takes everything, whatever the window
    "fixed:1, 1, 0.75, 0",
    // pass 0: .3 alone; pass 1: .2 alone
    "entropy:0.1, 4, 1.00, 1",
    // pass 0: .3 alone; pass 1: .2, so that the .8 of position 1 comes in, too
    "entropy:0.25, 3, 1.00, 1",
    // pass 0: both
    "entropy:0.3, 2, 0.75, 0",
  })
  void policiesTakeTheirCourse(String setting, double passes, double tokens, double texts)
      throws InterruptedException {
    PolicyTally tally = tally(setting, Traces.threeTokens(HEADER));
    assertThat(tally.passes()).isEqualTo(passes);
    assertThat(tally.agreement()).isEqualTo(tokens);
    assertThat(tally.sameTexts()).isEqualTo(texts);
  }

  @Test
  void aTextThatRunsOverTheEndOfTheReferenceEndsWhereNothingIsKnown() throws InterruptedException {
    CandidateTrace trace = Traces.oneToken(HEADER);
    try (EngineLoop loop = TraceScript.loop(HEADER, trace)) {
      PolicySetting setting = PolicySetting.parse(List.of("threshold:0.6")).getFirst();
      SessionEvent.Finished finished =
          SessionRun.finish(loop, HEADER.session(trace.promptTokens(), setting));
      assertThat(finished.tokens()).containsExactly(5, 8, 9);
      assertThat(finished.usage().forwardPasses()).isEqualTo(3);
    }
    PolicyTally tally = tally("threshold:0.6", trace);
    assertThat(tally.agreement()).isEqualTo(.25);
    assertThat(tally.sameTexts()).isZero();
  }

  @Test
  void theReferencePolicyComesBackToTheReference() throws InterruptedException {
    CandidateTrace trace = Traces.oneToken(HEADER);
    PolicyTally tally = tally("fixed:4", trace);
    assertThat(tally.passes()).isEqualTo(2);
    assertThat(tally.agreement()).isEqualTo(1);
    assertThat(tally.sameTexts()).isEqualTo(1);
  }

  @Test
  void aTallyAddsTexts() {
    PolicyTally tally = new PolicyTally(4);
    tally.add(2, new int[] {5, 6, 7, 8}, new int[] {5, 6, 7, 8});
    tally.add(5, new int[] {5, 6}, new int[] {5, 9, 7}); // and an end of text too early
    assertThat(tally.texts()).isEqualTo(2);
    assertThat(tally.passes()).isEqualTo(3.5);
    assertThat(tally.agreement()).isEqualTo(5 / 7.0);
    assertThat(tally.sameTexts()).isEqualTo(.5);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "credit:1|policy: credit (expected: threshold, fixed or entropy)",
        "threshold|threshold:  (expected: 0..1)",
        "threshold:0.5,|threshold:  (expected: 0..1)",
        "threshold:1.5|threshold: 1.5 (expected: 0..1)",
        "threshold:NaN|threshold: NaN (expected: 0..1)",
        "fixed:2.5|fixed: 2.5 (expected: a whole number, 1..4096)",
        "fixed:0|fixed: 0.0 (expected: a whole number, 1..4096)",
        "entropy:-1|entropy: -1.0 (expected: 0..100)",
        "entropy:..|entropy: .. (expected: 0..100)",
      })
  void settingsOutOfRangeAreRefused(String sweep, String message) {
    assertThatThrownBy(() -> PolicySetting.parse(List.of(sweep)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  private static PolicyTally tally(String setting, CandidateTrace trace)
      throws InterruptedException {
    PolicyTally tally = new PolicyTally(HEADER.canvasLength());
    try (EngineLoop loop = TraceScript.loop(HEADER, trace)) {
      for (PolicySetting each : PolicySetting.parse(List.of(setting))) {
        tally.add(
            SessionRun.finish(loop, HEADER.session(trace.promptTokens(), each)), trace.result());
      }
    }
    return tally;
  }
}
