package io.sfumato.server.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class StepBudgetTest {

  @Test
  void acceptsAtLeastTheMinimumAndAtMostWhatIsThere() {
    StepBudget budget = new StepBudget(10, 2);
    assertThat(budget.accepted(0, 5, 1)).isEqualTo(2);
    assertThat(budget.accepted(4, 5, 1)).isEqualTo(4);
    assertThat(budget.accepted(Integer.MAX_VALUE, 5, 1)).isEqualTo(5);
    assertThat(budget.accepted(1, 1, 1)).isEqualTo(1);
    assertThat(budget.accepted(3, 0, 1)).isZero();
  }

  @Test
  void theLastStepTakesEverything() {
    StepBudget budget = new StepBudget(3, 1);
    assertThat(budget.isLast(2)).isFalse();
    assertThat(budget.isLast(3)).isTrue();
    assertThat(budget.accepted(1, 9, 3)).isEqualTo(9);
  }

  @Test
  void revisionNeedsDoubtAndARevisionLeft() {
    RevisionSpec spec = new RevisionSpec(.1f, 2);
    assertThat(Revision.reopens(spec, .09f, 1)).isTrue();
    assertThat(Revision.reopens(spec, .1f, 0)).isFalse();
    assertThat(Revision.reopens(spec, .0f, 2)).isFalse();
    assertThat(Revision.reopens(spec, Float.NaN, 0)).isFalse();
    assertThat(Revision.reopens(RevisionSpec.NONE, 0f, 0)).isFalse();
  }

  @Test
  void aShareOfADraftRoundsHalfUp() {
    assertThat(Revision.opened(10, .25f)).isEqualTo(3);
    assertThat(Revision.opened(10, .24f)).isEqualTo(2);
    assertThat(Revision.opened(3, .5f)).isEqualTo(2);
    assertThat(Revision.opened(4, 0f)).isZero();
    assertThat(Revision.opened(4, 1f)).isEqualTo(4);
  }
}
