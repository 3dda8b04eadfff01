package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineLimits;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.canvas.CanvasStart.NoisySpan;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.AcceptanceSpec.Order;
import io.sfumato.server.sampling.AcceptanceSpec.Spread;
import io.sfumato.server.session.CacheMode;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AdmissionRulesTest {

  private final AdmissionRules rules =
      new AdmissionRules(LoopFixture.info(AttentionKind.FULL), LoopFixture.limits(4, 4, 100));

  @Test
  void acceptsWhatJustFits() {
    assertThatCode(() -> rules.check(new Specs().prompt(new int[50]).length(50).build()))
        .doesNotThrowAnyException();
    assertThatCode(
            () -> rules.check(new Specs().prompt(new int[25]).length(25).guidance(1).build()))
        .doesNotThrowAnyException();
  }

  @Test
  void refusesWhatIsTooLong() {
    refuses(
        new Specs().prompt(new int[51]).length(50),
        ErrorReason.CONTEXT_TOO_LONG,
        "prompt and canvas: 101 (expected: <= 100 tokens per step)");
    refuses(
        new Specs().prompt(new int[26]).length(25).guidance(1),
        ErrorReason.CONTEXT_TOO_LONG,
        "prompt and canvas, twice for guidance: 102 (expected: <= 100 tokens per step)");
    AdmissionRules roomy =
        new AdmissionRules(LoopFixture.info(AttentionKind.FULL), LoopFixture.limits(4, 4, 10_000));
    ServingException refusal =
        catchThrowableOfType(
            ServingException.class,
            () -> roomy.check(new Specs().prompt(new int[4096]).length(1).build()));
    assertThat(refusal).hasMessage("prompt and canvas: 4097 (expected: <= 4096 positions)");
    AdmissionRules single =
        new AdmissionRules(LoopFixture.info(AttentionKind.FULL), LoopFixture.limits(4, 1, 100));
    assertThat(
            catchThrowableOfType(
                    ServingException.class, () -> single.check(new Specs().guidance(1).build()))
                .reason())
        .isEqualTo(ErrorReason.MODEL_CAPABILITY);
  }

  @Test
  void approximateCachesNeedPagesAndTokensThatAllSeeEachOther() {
    EngineLimits paged = new EngineLimits(4, 4, 100, 100, 0, 2, 16);
    AdmissionRules full = new AdmissionRules(LoopFixture.info(AttentionKind.FULL), paged);
    Specs cached = new Specs().length(20).cached(CacheMode.DUAL, false);
    assertThatCode(() -> full.check(cached.build())).doesNotThrowAnyException();
    assertThat(full.pages(cached.build())).isEqualTo(2);
    assertThatThrownBy(() -> full.check(cached.length(30).build()))
        .hasMessage("prompt and canvas: 33 (expected: <= 32 tokens in pages)");
    assertThatThrownBy(() -> full.check(cached.length(20).guidance(1).build()))
        .hasMessage("approximate_cache: DUAL (expected: NONE with guidance_scale)");
    AdmissionRules either =
        new AdmissionRules(LoopFixture.info(AttentionKind.FULL_OR_BLOCK_CAUSAL), paged);
    assertThatThrownBy(() -> either.check(cached.guidance(0).causal(4, 0, false).build()))
        .hasMessage("approximate_cache: DUAL (expected: NONE with this model)");
    AdmissionRules blocks = new AdmissionRules(LoopFixture.info(AttentionKind.BLOCK_CAUSAL), paged);
    assertThatThrownBy(() -> blocks.check(cached.build()))
        .hasMessage("approximate_cache: DUAL (expected: NONE with this model)");
  }

  @Test
  void namesTheFieldTheValueAndWhatWasExpected() {
    refuses(new Specs().length(0), "max_length_tokens: 0 (expected: >= 1)");
    refuses(new Specs().block(0), "block_length_tokens: 0 (expected: >= 1)");
    refuses(new Specs().window(0), "window_length_tokens: 0 (expected: >= 1)");
    refuses(new Specs().prompt(1, 64), "prompt[1]: 64 (expected: 0..63)");
    refuses(new Specs().prompt(-1), "prompt[0]: -1 (expected: 0..63)");
    refuses(new Specs().endOfText(64), "end_of_text_tokens[0]: 64 (expected: 0..63)");
    refuses(new Specs().stop(-3), "stop_token_ids[0]: -3 (expected: 0..63)");
    refuses(new Specs().temperature(Float.NaN), "temperature: NaN (expected: 0 or 0.001..1000)");
    refuses(new Specs().temperature(-1), "temperature: -1.0 (expected: 0 or 0.001..1000)");
    refuses(new Specs().steps(0, 1), "max_steps_per_block: 0 (expected: >= 1)");
    refuses(new Specs().steps(1, 0), "min_accept_per_step: 0 (expected: >= 1)");
    refuses(new Specs().guidance(-1), "guidance_scale: -1.0 (expected: 0..100)");
    refuses(new Specs().revision(1.5f, 1), "remask_threshold: 1.5 (expected: 0..1)");
    refuses(new Specs().revision(.5f, 256), "max_revisions_per_token: 256 (expected: 0..255)");
    refuses(
        new Specs().acceptance(new AcceptanceSpec.ConfidenceThreshold(2)),
        "threshold: 2.0 (expected: 0..1)");
    refuses(
        new Specs().acceptance(new AcceptanceSpec.EntropyBound(Float.NaN)),
        "bound: NaN (expected: >= 0)");
    refuses(
        new Specs().acceptance(new AcceptanceSpec.FixedSchedule(0, Order.MARGIN, Spread.EVEN)),
        "steps: 0 (expected: >= 1)");
  }

  @Test
  void checksDrafts() {
    int[] tokens = {5, -1, 7};
    boolean[] nothing = new boolean[3];
    refuses(
        new Specs().start(new CanvasStart(new int[] {5, 99}, new boolean[2], List.of())),
        "canvas[1]: 99 (expected: 0..63)");
    refuses(
        new Specs().start(new CanvasStart(tokens, new boolean[] {false, true, false}, List.of())),
        "canvas[1]: pinned without a token (expected: a token)");
    refuses(
        new Specs().start(new CanvasStart(tokens, nothing, List.of(new NoisySpan(2, 2, .5f)))),
        "segments.length: 2 (expected: <= 1)");
    refuses(
        new Specs().start(new CanvasStart(tokens, nothing, List.of(new NoisySpan(0, 1, 1.5f)))),
        "segments.noise: 1.5 (expected: 0..1)");
    refuses(
        new Specs()
            .start(
                new CanvasStart(
                    tokens, nothing, List.of(new NoisySpan(0, 2, 1), new NoisySpan(1, 1, 1)))),
        "segments.start: 1 (expected: >= 2)");
  }

  private void refuses(Specs specs, String message) {
    refuses(specs, ErrorReason.INVALID_FIELD, message);
  }

  private void refuses(Specs specs, ErrorReason reason, String message) {
    ServingException refusal =
        catchThrowableOfType(ServingException.class, () -> rules.check(specs.build()));
    assertThat(refusal).as(message).isNotNull().hasMessage(message);
    assertThat(refusal.reason()).isEqualTo(reason);
  }
}
