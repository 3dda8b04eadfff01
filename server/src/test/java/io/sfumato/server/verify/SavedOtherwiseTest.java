package io.sfumato.server.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.ProductType;
import io.sfumato.server.verify.Checkpoint.Weights;
import io.sfumato.server.verify.VerificationRow.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The reference fixtures with their weights saved in other files, and in bfloat16. */
final class SavedOtherwiseTest {

  private static final Path FIXTURES = Path.of("..", "fixtures");

  /**
   * Largest error of a logit against the records, which are of float32 and come up to 17; where the
   * two best logits are further apart than this, the best token is the same.
   */
  private static final double BF16_TOLERANCE = 1.5;

  /** Their routers take other experts where two are close, and then no bound holds. */
  private static final Set<String> MIXTURES =
      Set.of("llada_moe", "llada2_moe", "sdar_moe", "diffusion_gemma");

  /** All fixtures that {@link Verification} replays. */
  static List<String> families() {
    return List.of(
        "llada",
        "llada_moe",
        "llada2_moe",
        "dream",
        "a2d_qwen2",
        "a2d_qwen3",
        "sdar",
        "sdar_moe",
        "fast_dllm_v2",
        "bert_mlm",
        "modernbert_mlm",
        "diffusion_gemma",
        "nemotron_labs_diffusion");
  }

  @ParameterizedTest
  @MethodSource("families")
  void otherFilesGiveTheSameRows(String family, @TempDir Path one, @TempDir Path three)
      throws IOException {
    Checkpoint checkpoint = new Checkpoint(FIXTURES.resolve(family));
    checkpoint.save(one, Weights.SAME, 1);
    checkpoint.save(three, Weights.SAME, 3);
    List<VerificationRow> rows = rows(FIXTURES.resolve(family));
    assertThat(rows).extracting(VerificationRow::outcome).doesNotContain(Outcome.FAIL);
    assertThat(rows(one)).isEqualTo(rows);
    assertThat(rows(three)).isEqualTo(rows);
  }

  @ParameterizedTest
  @MethodSource("families")
  void bfloat16IsItsValuesInFloat32AndNearTheRecords(
      String family, @TempDir Path half, @TempDir Path rounded) throws IOException {
    Checkpoint checkpoint = new Checkpoint(FIXTURES.resolve(family));
    checkpoint.save(half, Weights.BF16, 2);
    checkpoint.save(rounded, Weights.F32_OF_BF16, 1);
    loosen(half);
    loosen(rounded);
    List<VerificationRow> rows = rows(half);
    assertThat(rows).isEqualTo(rows(rounded));
    if (!MIXTURES.contains(family)) {
      assertThat(rows)
          .filteredOn(row -> row.name().startsWith("forward"))
          .isNotEmpty()
          .allMatch(row -> row.outcome() == Outcome.PASS);
    }
  }

  @Test
  void roundsToTheNearestAndTiesToEven() {
    assertThat(Checkpoint.bfloat16(1f)).isEqualTo((short) 0x3f80);
    assertThat(Checkpoint.bfloat16(Float.intBitsToFloat(0x3f808000))).isEqualTo((short) 0x3f80);
    assertThat(Checkpoint.bfloat16(Float.intBitsToFloat(0x3f818000))).isEqualTo((short) 0x3f82);
    assertThat(Checkpoint.bfloat16(Float.intBitsToFloat(0xbf808001))).isEqualTo((short) 0xbf81);
    assertThat(Checkpoint.bfloat16(Float.MAX_VALUE)).isEqualTo((short) 0x7f80);
  }

  /** The records of float32 hold with the tolerance of bfloat16; decodings may take other ways. */
  private static void loosen(Path directory) throws IOException {
    Path file = directory.resolve("golden.json");
    ObjectNode golden = (ObjectNode) new JsonMapper().readTree(Files.readString(file));
    golden
        .putObject("tolerance")
        .put("logits_max_abs", BF16_TOLERANCE)
        .put("clear_top2_gap", BF16_TOLERANCE);
    Files.writeString(file, new JsonMapper().writeValueAsString(golden));
  }

  private static List<VerificationRow> rows(Path directory) {
    List<VerificationRow> rows = new ArrayList<>();
    Verification.run(directory, 1, ProductType.F32, DeviceChoice.CPU, () -> 0, rows::add);
    return rows;
  }
}
