package io.sfumato.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.ProductType;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ModelSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigurationReaderTest {

  private static final Path BASE = Path.of("/srv/sfumato");

  @TempDir private Path directory;

  @Test
  void readsEverything() throws IOException {
    ServerConfiguration configuration =
        read(
            """
            listen: "[::1]:8080"
            models:
              - name: tales
                directory: models/default
                threads: 2
                products: bf16
                device: cuda:2
                slots: 3
                batch_tokens: 1024
                queue_capacity: 5
                prefix_cache_tokens: 4096
                mask_token_id: 9
                approximate_cache_mebibytes: 77
            rpc:
              threads: 7
              keep_alive_interval: 90s
              max_connection_age: 1h
            drain:
              finish: 250ms
              grace: 2m
            """);
    assertThat(configuration.rpc().address().getHostString()).isEqualTo("0:0:0:0:0:0:0:1");
    assertThat(configuration.rpc().address().getPort()).isEqualTo(8080);
    assertThat(configuration.rpc().threads()).isEqualTo(7);
    assertThat(configuration.rpc().keepAliveInterval()).isEqualTo(Duration.ofSeconds(90));
    assertThat(configuration.rpc().maxConnectionAge()).isEqualTo(Duration.ofHours(1));
    assertThat(configuration.models())
        .containsExactly(
            new ModelSource(
                "tales",
                BASE.resolve("models/default"),
                2,
                ProductType.BF16,
                new DeviceChoice(DeviceChoice.Kind.CUDA, 2),
                3,
                1024,
                5,
                4096,
                9,
                77));
    assertThat(configuration.drain())
        .isEqualTo(new Drain(Duration.ofMillis(250), Duration.ofMinutes(2)));
  }

  @Test
  void fillsInWhatIsUsual() throws IOException {
    ServerConfiguration configuration = read("models: [{name: a, directory: /models/a}]");
    assertThat(configuration.rpc().address().getPort()).isEqualTo(7411);
    assertThat(configuration.rpc().address().getAddress().isLoopbackAddress()).isTrue();
    assertThat(configuration.rpc().maxInboundMessageBytes()).isEqualTo(4 << 20);
    assertThat(configuration.drain()).isEqualTo(Drain.USUAL);
    assertThat(configuration.models()).containsExactly(ModelSource.of("a", Path.of("/models/a")));
  }

  @Test
  void namesEveryProblem() {
    assertThatThrownBy(() ->
            read(
                """
                listen: nowhere
                lisen: 3
                models:
                  - {name: a, directory: x, slots: 0, produkts: f32}
                  - {name: a, products: f16, prefix_cache_tokens: -1}
                rpc: {threads: many, keep_alive_timeout: 20}
                drain: 5s
                """))
        .isInstanceOfSatisfying(
            ServingException.class,
            e -> assertThat(e.reason()).isEqualTo(ErrorReason.INVALID_FIELD))
        .hasMessageContaining("listen: nowhere (expected: HOST:PORT, or :PORT for all interfaces)")
        .hasMessageContaining("lisen: unknown key (expected: drain, listen, models, rpc)")
        .hasMessageContaining("models[0].slots: 0 (expected: 1..1024)")
        .hasMessageContaining("models[0].produkts: unknown key")
        .hasMessageContaining("models[1].name: a (expected: a name that no other model has)")
        .hasMessageContaining("models[1].directory: absent (expected: a model directory)")
        .hasMessageContaining(
            "models[1].products: \"f16\" (expected: auto, f32, bf16, int8, fp8, int4, fp8_inputs)")
        .hasMessageContaining("models[1].prefix_cache_tokens: -1 (expected: 0..2147483647)")
        .hasMessageContaining("rpc.threads: \"many\" (expected: 1..256)")
        .hasMessageContaining(
            "rpc.keep_alive_timeout: 20 (expected: a time such as 250ms, 20s, 5m or 1h")
        .hasMessageContaining("drain: \"5s\" (expected: keys and values)");
  }

  @Test
  void refusesFilesThatAreNoYaml() {
    assertThatThrownBy(() -> read("a: [")).hasMessageContaining("(expected: YAML)");
    assertThatThrownBy(() -> read("- a")).hasMessageContaining("ARRAY (expected: keys and values)");
    assertThatThrownBy(() -> ConfigurationReader.parse(directory.resolve("no.yaml")))
        .hasMessageContaining("NoSuchFileException")
        .hasMessageContaining("(expected: a readable file)");
    assertThatThrownBy(() -> read("drain: {}\ndrain: {}")).hasMessageContaining("Duplicate");
    assertThatThrownBy(() -> read("models: []"))
        .hasMessage("models: none (expected: at least one model)");
  }

  private ServerConfiguration read(String yaml) throws IOException {
    Path file = directory.resolve("sfumato.yaml");
    Files.writeString(file, yaml);
    return ConfigurationReader.read(ConfigurationReader.parse(file), BASE);
  }
}
