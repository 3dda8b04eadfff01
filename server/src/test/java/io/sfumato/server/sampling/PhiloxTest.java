package io.sfumato.server.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.sampling.Philox.Purpose;
import org.junit.jupiter.api.Test;

final class PhiloxTest {

  @Test
  void knownAnswersOfTheReferenceImplementation() {
    assertThat(words(0, 0, 0, 0, 0, 0))
        .containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    assertThat(words(-1, -1, -1, -1, -1, -1))
        .containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
    assertThat(words(0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344))
        .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
  }

  @Test
  void theSeedIsTheKeyLowWordFirstAndTheCounterIsPositionStepBlockPurpose() {
    long seed = 0x299f31d0_a4093822L;
    int expected = words(0xa4093822, 0x299f31d0, 7, 3, 2, 1)[0];
    assertThat(Philox.word(seed, 7, 3, 2, Purpose.TOKEN)).isEqualTo(expected);
    assertThat(Philox.word(seed, 7, 3, 2, Purpose.ORDER))
        .isEqualTo(words(0xa4093822, 0x299f31d0, 7, 3, 2, 2)[0]);
  }

  @Test
  void uniformTakesTheUpper24Bits() {
    assertThat(Philox.uniform(0, 0, 0, 0, Purpose.RENOISE)).isEqualTo(0x6627e8 * 0x1p-24f);
    double sum = 0;
    for (int position = 0; position < 10_000; position++) {
      float uniform = Philox.uniform(42, position, 1, 0, Purpose.TOKEN);
      assertThat(uniform).isBetween(0f, Math.nextDown(1f));
      sum += uniform;
    }
    assertThat(sum / 10_000).isBetween(0.49, 0.51);
  }

  @Test
  void tokensSpreadOverTheVocabulary() {
    assertThat(Philox.token(0, 0, 0, 0, Purpose.RENOISE, 1000))
        .isEqualTo((int) ((0x6627e8d5L * 1000) >>> 32));
    for (int position = 0; position < 10_000; position++) {
      assertThat(Philox.token(3, position, 0, 0, Purpose.RENOISE, 7)).isBetween(0, 6);
    }
  }

  private static int[] words(
      int key0, int key1, int counter0, int counter1, int counter2, int counter3) {
    int[] output = new int[4];
    Philox.generate(key0, key1, counter0, counter1, counter2, counter3, output);
    return output;
  }
}
