package io.sfumato.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class DeviceChoiceTest {

  @Test
  void readsWhatItWrites() {
    assertThat(DeviceChoice.parse("auto")).contains(DeviceChoice.AUTO);
    assertThat(DeviceChoice.parse("cpu")).contains(DeviceChoice.CPU);
    assertThat(DeviceChoice.parse("cuda"))
        .contains(new DeviceChoice(DeviceChoice.Kind.CUDA, 0))
        .map(DeviceChoice::toString)
        .contains("cuda:0");
    assertThat(DeviceChoice.parse("cuda:63"))
        .contains(new DeviceChoice(DeviceChoice.Kind.CUDA, 63))
        .map(DeviceChoice::toString)
        .contains("cuda:63");
    assertThat(DeviceChoice.AUTO).hasToString("auto");
  }

  @Test
  void readsNothingElse() {
    for (String text : new String[] {"", "gpu", "CUDA", "cuda:", "cuda:64", "cuda:-1", "cpu:0"}) {
      assertThat(DeviceChoice.parse(text)).as(text).isEmpty();
    }
  }
}
