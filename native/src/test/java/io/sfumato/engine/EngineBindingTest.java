package io.sfumato.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.binding.Sfumato;
import org.junit.jupiter.api.Test;

final class EngineBindingTest {

  @Test
  void libraryAndBindingComeFromTheSameHeader() {
    assertThat(Sfumato.sfumato_abi_version()).isEqualTo(Sfumato.SFUMATO_ABI_VERSION);
  }
}
