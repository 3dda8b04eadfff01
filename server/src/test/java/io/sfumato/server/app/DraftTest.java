package io.sfumato.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.v1.Segment;
import java.util.List;
import org.junit.jupiter.api.Test;

class DraftTest {

  @Test
  void readsLockedEditableAndBlankParts() {
    assertThat(Draft.segments("Mara was a fox.[_12] She [found it] \\[again\\].[]", 0.5f))
        .containsExactly(
            locked("Mara was a fox."),
            Segment.newBuilder().setBlankTokens(12).build(),
            locked(" She "),
            Segment.newBuilder()
                .setText("found it")
                .setMode(Segment.Mode.MODE_EDITABLE)
                .setNoise(0.5f)
                .build(),
            locked(" [again]."),
            Segment.newBuilder()
                .setText("")
                .setMode(Segment.Mode.MODE_EDITABLE)
                .setNoise(0.5f)
                .build());
  }

  @Test
  void bracketsInsideEditablePartsAreEscaped() {
    List<Segment> segments = Draft.segments("[a \\] b \\\\ c]\\", 1);
    assertThat(segments.getFirst().getText()).isEqualTo("a ] b \\ c");
    assertThat(segments.get(1)).isEqualTo(locked("\\"));
  }

  @Test
  void refusesAnOpenBracket() {
    assertThatThrownBy(() -> Draft.segments("abc [def", 1))
        .hasMessage("draft: [ at 4 (expected: a ] after it, or \\[)");
  }

  private static Segment locked(String text) {
    return Segment.newBuilder().setText(text).setMode(Segment.Mode.MODE_LOCKED).build();
  }
}
