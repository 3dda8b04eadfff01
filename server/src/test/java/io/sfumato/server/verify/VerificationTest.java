package io.sfumato.server.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.ProductType;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.verify.VerificationRow.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The recorded references of all families, and records that do not tell the truth. */
final class VerificationTest {

  private static final Path FIXTURES = Path.of("..", "fixtures");

  private final List<VerificationRow> rows = new ArrayList<>();

  private boolean verify(Path directory) {
    rows.clear();
    return Verification.run(directory, 1, ProductType.F32, DeviceChoice.CPU, () -> 0, rows::add);
  }

  @Test
  void lladaComesToTheSameCanvases() {
    assertThat(verify(FIXTURES.resolve("llada"))).as(rows.toString()).isTrue();
    assertThat(count("forward", Outcome.PASS)).isEqualTo(13);
    assertThat(count("trace", Outcome.PASS)).isEqualTo(16);
    assertThat(rows).hasSize(29);
  }

  @Test
  void bertComesToTheSameCanvases() {
    assertThat(verify(FIXTURES.resolve("bert_mlm"))).as(rows.toString()).isTrue();
    assertThat(count("forward", Outcome.PASS)).isEqualTo(13);
    assertThat(count("trace", Outcome.PASS)).isEqualTo(4);
    assertThat(rows).hasSize(17);
  }

  /** Those with the reference's approximate caches among them. */
  @ParameterizedTest
  @CsvSource({
    "modernbert_mlm, 13, 4",
    "llada_moe, 12, 5",
    "dream, 13, 14",
    "a2d_qwen2, 15, 8",
    "a2d_qwen3, 15, 13",
    "sdar, 14, 10",
    "sdar_moe, 15, 10",
    "llada2_moe, 13, 9",
    "fast_dllm_v2, 12, 5",
    "diffusion_gemma, 15, 6",
    "nemotron_labs_diffusion, 15, 11"
  })
  void comesToTheSameCanvases(String family, int forward, int traces) {
    assertThat(verify(FIXTURES.resolve(family))).as(rows.toString()).isTrue();
    assertThat(count("forward", Outcome.PASS)).isEqualTo(forward);
    assertThat(count("trace", Outcome.PASS)).isEqualTo(traces);
    assertThat(rows).hasSize(forward + traces);
  }

  @Test
  void aRecordThatDiffersFails(@TempDir Path directory) throws IOException {
    copy("llada", directory);
    Path golden = directory.resolve("golden.json");
    String json = Files.readString(golden);
    int trace = json.indexOf("\"gen24_b24_s7\"");
    int end = json.indexOf("\"final\"", trace);
    String canvases = json.substring(trace, end);
    int last = canvases.lastIndexOf(",281");
    String changed = canvases.substring(0, last) + ",280" + canvases.substring(last + 4);
    Files.writeString(golden, json.substring(0, trace) + changed + json.substring(end));
    assertThat(verify(directory)).isFalse();
    assertThat(rows).filteredOn(row -> row.outcome() == Outcome.FAIL).hasSize(1);
    assertThat(rows)
        .filteredOn(row -> row.outcome() == Outcome.FAIL)
        .first()
        .asString()
        .contains("gen24_b24_s7")
        .contains("differs from step");
  }

  @Test
  void aRecordOfUniformNoiseThatDiffersFails(@TempDir Path directory) throws IOException {
    copy("diffusion_gemma", directory);
    Path golden = directory.resolve("golden.json");
    ObjectNode root = (ObjectNode) new JsonMapper().readTree(Files.readString(golden));
    ArrayNode accepted =
        (ArrayNode) root.path("traces").path(1).path("canvases").path(0).path(2).path("accepted");
    accepted.set(5, 1 - accepted.get(5).asInt());
    ArrayNode argmax =
        (ArrayNode)
            root.path("traces").path(2).path("canvases").path(1).path(5).path("argmax_canvas");
    argmax.set(15, argmax.get(15).asInt() ^ 1);
    Files.writeString(golden, new JsonMapper().writeValueAsString(root));
    assertThat(verify(directory)).isFalse();
    assertThat(rows)
        .filteredOn(row -> row.outcome() == Outcome.FAIL)
        .extracting(VerificationRow::name)
        .containsExactly("trace c3_s12_bound2", "trace c2_s12_bound6_stab2");
    ((ObjectNode) root.path("traces").path(0)).put("noise_canvases", "another");
    Files.writeString(golden, new JsonMapper().writeValueAsString(root));
    refuses(directory, "another: absent (expected: a tensor)");
  }

  @Test
  void refusesRecordsThatAreMissingOrDamaged(@TempDir Path directory) throws IOException {
    copy("bert_mlm", directory);
    Path arrays = directory.resolve("golden.safetensors");
    byte[] bytes = Files.readAllBytes(arrays);
    Files.write(arrays, Arrays.copyOf(bytes, bytes.length / 2));
    refuses(directory, "golden.safetensors");
    byte[] lying = bytes.clone();
    lying[7] = 0x7f;
    Files.write(arrays, lying);
    refuses(directory, "header length");
    Files.writeString(
        directory.resolve("golden.json"),
        "{\"forward\": [], \"traces\": [{\"name\": 3, \"canvases\": []}]}");
    refuses(directory, "name: NUMBER (expected: a text)");
    Files.writeString(directory.resolve("golden.json"), "[");
    refuses(directory, "golden.json");
    Files.delete(directory.resolve("golden.json"));
    refuses(directory, "golden.json: absent");
  }

  private void refuses(Path directory, String message) {
    assertThatExceptionOfType(ServingException.class)
        .isThrownBy(() -> verify(directory))
        .withMessageContaining(message);
  }

  private long count(String kind, Outcome outcome) {
    return rows.stream()
        .filter(row -> row.name().startsWith(kind) && row.outcome() == outcome)
        .count();
  }

  private static void copy(String fixture, Path directory) throws IOException {
    try (Stream<Path> files = Files.list(FIXTURES.resolve(fixture))) {
      for (Path file : files.toList()) {
        Files.copy(file, directory.resolve(file.getFileName()));
      }
    }
  }
}
