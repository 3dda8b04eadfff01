package io.sfumato.server.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.EngineException;
import io.sfumato.engine.EngineStatus;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.ProductType;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.sampling.UniformNoise;
import io.sfumato.server.text.ChatMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelLoaderTest {

  private static final InstantSource DATES = InstantSource.fixed(Instant.EPOCH);

  @TempDir private Path directory;

  @Test
  void loadsACompleteDirectory() throws Exception {
    ModelFiles.complete(directory);
    try (LoadedModel model = load()) {
      ServedModel served = model.served();
      assertThat(served.name()).isEqualTo("test");
      assertThat(served.digest()).hasSize(64);
      assertThat(served.text().orElseThrow().encodeChat(List.of(new ChatMessage("user", "a")), ""))
          .startsWith(3)
          .endsWith(4);
      assertThat(served.defaults().blockLength()).isEqualTo(32);
      assertThat(served.defaults().maxLengthTokens()).isEqualTo(32);
      assertThat(served.defaults().acceptance())
          .isEqualTo(new AcceptanceSpec.ConfidenceThreshold(0.9f));
      assertThat(served.defaults().endOfTextTokens()).containsExactly(1);
      assertThat(model.warnings())
          .containsExactly(
              "generation_config.json sfumato: none (decoding defaults are the family's)");
    }
  }

  /** Tools show this log, so that a large model's progress can be seen. */
  @Test
  void aLoadThatIsSoonDoneLogsNothing() throws Exception {
    ModelFiles.complete(directory);
    List<String> lines = new CopyOnWriteArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            lines.add(line.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Logger log = Logger.getLogger(ModelLoader.class.getName());
    log.setLevel(Level.INFO);
    log.addHandler(handler);
    try {
      load().close();
    } finally {
      log.removeHandler(handler);
    }
    assertThat(lines).isEmpty();
  }

  @Test
  void aFamilyOfUniformNoiseDecodesAsItsGenerationConfigSays() throws Exception {
    ModelSource source =
        new ModelSource(
            "gemma",
            Path.of("..", "fixtures", "diffusion_gemma"),
            1,
            ProductType.F32,
            DeviceChoice.CPU,
            2,
            0,
            4,
            0,
            -1,
            0);
    try (LoadedModel model = loader(NativeEngine::open).load(source, () -> {})) {
      assertThat(model.served().defaults())
          .usingRecursiveComparison()
          .isEqualTo(
              new ModelDefaults(
                  256,
                  16,
                  0,
                  48,
                  1,
                  new TemperatureSchedule(.8f, (float) (.4f + ((double) .8f - .4f) / 48)),
                  new AcceptanceSpec.EntropyBound(.1f),
                  RevisionSpec.NONE,
                  new int[] {1},
                  16,
                  false,
                  Optional.of(new UniformNoise(1, .005f))));
      assertThat(model.warnings())
          .containsExactly("tokenizer.json: none (served by token ids; texts are refused)");
    }
  }

  @Test
  void aContextIsAsLargeAsTheHeadsOfEachLayer() throws IOException {
    Path fixture = Path.of("..", "fixtures", "diffusion_gemma");
    long bytes = 2 * Float.BYTES * (4 * 2 * 12 + 2 * 16);
    assertThat(ModelDirectory.read(fixture).tokenBytes()).isEqualTo(bytes);
    assertThat(ModelDirectory.read(fixture).leastBatchTokens()).isEqualTo(16);
    ModelFiles.complete(directory);
    ModelFiles.write(
        directory.resolve("config.json"),
        Files.readString(fixture.resolve("config_per_layer_form.json")));
    assertThat(ModelDirectory.read(directory).tokenBytes()).isEqualTo(bytes);
  }

  @Test
  void aFamilyOfMasksOverAnEncodedContextIsServedInBlocksOfItsOwn() throws Exception {
    Path fixture = Path.of("..", "fixtures", "nemotron_labs_diffusion");
    assertThat(ModelDirectory.read(fixture).leastBatchTokens()).isEqualTo(16);
    ModelSource source =
        new ModelSource(
            "nemotron", fixture, 1, ProductType.F32, DeviceChoice.CPU, 2, 0, 4, 0, -1, 0);
    try (LoadedModel model = loader(NativeEngine::open).load(source, () -> {})) {
      ModelDefaults defaults = model.served().defaults();
      assertThat(defaults.blockLength()).isEqualTo(16);
      assertThat(defaults.longestBlock()).isEqualTo(16);
      assertThat(defaults.isUniform()).isFalse();
      assertThat(defaults.blockCausal()).isFalse();
      assertThat(defaults.maxStepsPerBlock()).isEqualTo(32);
      assertThat(defaults.acceptance()).isEqualTo(new AcceptanceSpec.ConfidenceThreshold(.9f));
      assertThat(defaults.endOfTextTokens()).containsExactly(11);
    }
    assertThat(pages("nemotron_labs_diffusion", "{}")).isEqualTo(8);
  }

  @Test
  void readsPublishedDefaults() throws Exception {
    ModelFiles.complete(directory);
    writeSection(
        """
        {"max_length_tokens": 48, "block_length_tokens": 16, "window_length_tokens": 8, "max_steps_per_block": 24, "min_accept_per_step": 2,
         "temperature": 0.5, "acceptance": {"fixed_schedule": {"steps_per_block": 8, "order": "margin", "spread": "linear"}},
         "revision": {"remask_threshold": 0.1, "max_revisions_per_token": 3}, "end_of_text_token_ids": [1, 2]}
        """);
    try (LoadedModel model = load()) {
      ModelDefaults defaults = model.served().defaults();
      assertThat(defaults)
          .usingRecursiveComparison()
          .isEqualTo(
              new ModelDefaults(
                  48,
                  16,
                  8,
                  24,
                  2,
                  TemperatureSchedule.constant(.5f),
                  new AcceptanceSpec.FixedSchedule(
                      8, AcceptanceSpec.Order.MARGIN, AcceptanceSpec.Spread.LINEAR),
                  new RevisionSpec(0.1f, 3),
                  new int[] {1, 2},
                  0,
                  false,
                  Optional.empty()));
      assertThat(model.warnings()).isEmpty();
    }
  }

  @Test
  void aFamilyThatAttendsInBlocksIsServedWithPages() throws Exception {
    ModelSource source =
        new ModelSource(
            "sdar",
            Path.of("..", "fixtures", "sdar"),
            1,
            ProductType.F32,
            DeviceChoice.CPU,
            2,
            0,
            4,
            0,
            -1,
            0);
    ModelLoader loader = loader(NativeEngine::open);
    try (LoadedModel model = loader.load(source, () -> {})) {
      assertThat(model.served().defaults().blockCausal()).isTrue();
      assertThat(model.served().defaults().blockLength()).isEqualTo(4);
    }
  }

  @Test
  void pagesAreOpenedForThoseThatUseThem() {
    assertThat(pages("sdar", "{}")).isEqualTo(8); // two sequences of 64 positions
    assertThat(pages("a2d-qwen3", "{}")).isZero();
    assertThat(pages("a2d-qwen3", "{\"attention\": \"block_causal\"}")).isEqualTo(8);
    assertThat(pages("llada", "{}")).isZero();
  }

  @Test
  void approximateCachesHaveAsManyPagesAsTheirMemoryHolds() {
    assertThat(pages("llada", "{}", 1)).isEqualTo(8);
    assertThat(pages("a2d-qwen3", "{}", 1)).isEqualTo(8);
    // 4 layers, 32 heads of 128: 128 KiB of keys and values for each token
    String large = "\"n_layers\": 4, \"n_heads\": 32, \"d_model\": 4096, ";
    assertThat(pages("llada", large, "{}", 4)).isEqualTo(2);
    assertThat(pages("llada", large + "\"n_kv_heads\": 8, ", "{}", 4)).isEqualTo(8);
  }

  private int pages(String modelType, String section) {
    return pages(modelType, section, 0);
  }

  private int pages(String modelType, String section, int mebibytes) {
    return pages(modelType, "", section, mebibytes);
  }

  private int pages(String modelType, String shape, String section, int mebibytes) {
    ModelFiles.complete(directory);
    ModelFiles.write(
        directory.resolve("config.json"),
        "{\"model_type\": \"" + modelType + "\", " + shape + "\"max_position_embeddings\": 64}");
    writeSection(section);
    int[] pages = {-1};
    ModelSource source =
        new ModelSource(
            "test", directory, 1, ProductType.F32, DeviceChoice.CPU, 2, 0, 4, 0, -1, mebibytes);
    assertThatThrownBy(() ->
            loader(
                    options -> {
                      pages[0] = options.limits().pages();
                      throw new EngineException(EngineStatus.UNIMPLEMENTED, "enough");
                    })
                .load(source, () -> {}))
        .hasMessageContaining("enough");
    return pages[0];
  }

  @Test
  void onlyAFamilyThatMayAttendInBlocksCanBeToldTo() {
    ModelFiles.complete(directory);
    writeSection("{\"attention\": \"block_causal\"}");
    assertThatThrownBy(this::load)
        .hasMessageContaining("sfumato.attention: block_causal (expected: full with this family)");
  }

  @Test
  void namesEveryWrongDefault() {
    ModelFiles.complete(directory);
    writeSection(
        """
        {"block_length_tokens": 0, "blok": 3, "temperature": "hot", "acceptance": {"confidence_threshold": 2, "entropy_bound": 1},
         "revision": [], "end_of_text_token_ids": [5000]}
        """);
    assertThatThrownBy(this::load)
        .isInstanceOfSatisfying(
            ServingException.class,
            e -> assertThat(e.reason()).isEqualTo(ErrorReason.MODEL_CAPABILITY))
        .hasMessageContaining("sfumato.block_length_tokens: 0 (expected: 1..64)")
        .hasMessageContaining(
            "sfumato.blok: unknown key (expected: acceptance, attention, block_length_tokens,")
        .hasMessageContaining("sfumato.temperature: \"hot\" (expected: 0.0..2.0)")
        .hasMessageContaining("acceptance.confidence_threshold: 2 (expected: 0.0..1.0)")
        .hasMessageContaining("acceptance.fixed_schedule: 2 kinds of acceptance (expected: one)")
        .hasMessageContaining("sfumato.revision: [] (expected: keys and values)")
        .hasMessageContaining("sfumato.end_of_text_token_ids: 5000 (expected: 0..419)");
  }

  @Test
  void aDirectoryWithoutATokenizerIsServedByTokenIds() throws Exception {
    ModelFiles.complete(directory);
    Files.delete(directory.resolve("tokenizer.json"));
    try (LoadedModel model = load()) {
      assertThat(model.served().text()).isEmpty();
      assertThat(model.warnings())
          .contains("tokenizer.json: none (served by token ids; texts are refused)");
    }
  }

  @Test
  void theMaskMayComeFromTheTokenizer() throws Exception {
    ModelFiles.complete(directory);
    ModelFiles.write(
        directory.resolve("config.json"), ModelFiles.CONFIG.replace("\"mask_token_id\": 0, ", ""));
    load().close();
    Files.delete(directory.resolve("tokenizer.json"));
    assertThatThrownBy(this::load)
        .hasMessageStartingWith("mask_token_id: none (expected: 0..419 in config.json");
  }

  @Test
  void refusesWhatCannotBeRead() {
    assertThatThrownBy(this::load)
        .hasMessageContaining("config.json: java.nio.file.NoSuchFileException");
    ModelFiles.complete(directory);
    ModelFiles.write(directory.resolve("config.json"), "{\"model_type\": \"llada\"");
    assertThatThrownBy(this::load)
        .hasMessageStartingWith("config.json: ")
        .hasMessageEndingWith("(expected: a JSON object)");
    ModelFiles.write(
        directory.resolve("config.json"), "{\"model_type\": 3, \"max_sequence_length\": -1}");
    assertThatThrownBy(this::load)
        .hasMessageContaining("config.json.model_type: 3 (expected: a text)")
        .hasMessageContaining("config.json.max_sequence_length: -1 (expected: 1..1048576)");
    assertThatThrownBy(() ->
            loader(ModelFiles::open)
                .load(ModelSource.of("test", directory.resolve("no")), () -> {}))
        .hasMessageEndingWith("(expected: a directory with a config.json)");
  }

  @Test
  void refusesLongFilesUnread() {
    ModelFiles.complete(directory);
    ModelFiles.write(directory.resolve("config.json"), " ".repeat((1 << 20) + 1));
    assertThatThrownBy(this::load)
        .hasMessage("config.json: 1048577 bytes (expected: at most 1048576)");
  }

  @Test
  void aBrokenTokenizerClosesTheEngine() {
    ModelFiles.complete(directory);
    ModelFiles.write(directory.resolve("tokenizer.json"), "{}");
    List<DenoiseEngine> engines = new ArrayList<>();
    EngineFactory factory =
        options -> {
          engines.add(ModelFiles.open(options));
          return engines.getLast();
        };
    assertThatThrownBy(() -> loader(factory).load(ModelSource.of("test", directory), () -> {}))
        .isInstanceOf(ServingException.class)
        .hasMessageStartingWith("tokenizer.json");
    assertThatThrownBy(() -> engines.getFirst().run(null))
        .hasMessage("engine: closed (expected: open)");
  }

  @Test
  void passesOnWhatTheEngineSays() {
    ModelFiles.complete(directory);
    EngineFactory factory =
        options -> {
          throw new EngineException(
              EngineStatus.DATA_LOSS, "model.safetensors header: 7 bytes (expected: >= 8)");
        };
    assertThatThrownBy(() -> loader(factory).load(ModelSource.of("test", directory), () -> {}))
        .hasMessage("model.safetensors header: 7 bytes (expected: >= 8)");
  }

  @Test
  void theDigestChangesWithTheWeights() throws IOException {
    ModelFiles.complete(directory);
    String before = ModelDigest.of(directory);
    assertThat(ModelDigest.of(directory)).isEqualTo(before);
    ModelFiles.write(directory.resolve("model.safetensors"), "Weights");
    assertThat(ModelDigest.of(directory)).isNotEqualTo(before);
  }

  private LoadedModel load() throws InterruptedException {
    return loader(ModelFiles::open).load(ModelSource.of("test", directory), () -> {});
  }

  private static ModelLoader loader(EngineFactory factory) {
    return new ModelLoader(factory, () -> 0, DATES, "s-");
  }

  private void writeSection(String section) {
    ModelFiles.write(directory.resolve("generation_config.json"), "{\"sfumato\": " + section + "}");
  }
}
