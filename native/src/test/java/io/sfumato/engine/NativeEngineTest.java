package io.sfumato.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The core through Java: every field of a step arrives, every candidate comes back, every refusal
 * has its reason.
 */
final class NativeEngineTest {

  private static final Path LLADA = Path.of("..", "fixtures", "llada");
  private static final EngineLimits LIMITS = new EngineLimits(3, 4, 128, 64, 2, 0, 16);
  private static final int MASK = 281;
  private static final int[] TOKENS = {17, 201, 5, MASK, MASK, 44, MASK};
  private static final Offset<Float> CLOSE = within(2e-5f);

  private NativeEngine engine;
  private StepBatch batch;

  @BeforeEach
  void open() {
    engine =
        NativeEngine.open(
            new EngineOptions(LLADA, 1, ProductType.F32, DeviceChoice.CPU, false, LIMITS));
    batch = new StepBatch(LIMITS);
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private StepItem item(int... rows) {
    StepItem item = batch.add(ItemKind.DENOISE, batch.itemCount(), 0);
    for (int token : TOKENS) {
      batch.addToken(token);
    }
    for (int row : rows) {
      batch.addCandidateRow(row);
    }
    return item;
  }

  @Test
  void tellsWhatItHasLoaded() {
    EngineInfo info = engine.info();
    assertThat(info.family()).isEqualTo("llada");
    assertThat(info.vocabulary()).isEqualTo(288);
    assertThat(info.hiddenSize()).isEqualTo(64);
    assertThat(info.layers()).isEqualTo(3);
    assertThat(info.maxPositions()).isEqualTo(256);
    assertThat(info.maskTokenId()).isEqualTo(MASK);
    assertThat(info.endOfTextTokenId()).isEqualTo(271);
    assertThat(info.padTokenId()).isEqualTo(271);
    assertThat(info.attention()).isEqualTo(AttentionKind.FULL);
    assertThat(info.keyValueCache()).isFalse();
    assertThat(info.approximateCache()).isFalse();
    assertThat(info.threads()).isEqualTo(1);
    assertThat(info.parameters()).isPositive();
    assertThat(engine.limits()).isEqualTo(LIMITS);
  }

  @Test
  void candidatesAreThoseOfTheLogits() {
    item(2, 3, 6).topCount(2);
    float[] logits = engine.logits(batch);
    assertThat(logits).hasSize(3 * 288);
    Candidates candidates = engine.run(batch);
    for (int candidate = 0; candidate < 3; candidate++) {
      double[] probabilities = softmax(logits, candidate);
      int best = best(probabilities, -1);
      int second = best(probabilities, best);
      double entropy = 0;
      for (double probability : probabilities) {
        entropy -= probability == 0 ? 0 : probability * Math.log(probability);
      }
      int input = TOKENS[new int[] {2, 3, 6}[candidate]];
      assertThat(candidates.bestToken(candidate)).isEqualTo(best);
      assertThat(candidates.sampledToken(candidate)).isEqualTo(best);
      assertThat(candidates.bestProbability(candidate))
          .isCloseTo((float) probabilities[best], CLOSE);
      assertThat(candidates.sampledProbability(candidate))
          .isEqualTo(candidates.bestProbability(candidate));
      assertThat(candidates.secondProbability(candidate))
          .isCloseTo((float) probabilities[second], CLOSE);
      assertThat(candidates.entropy(candidate)).isCloseTo((float) entropy, within(1e-4f));
      assertThat(candidates.inputProbability(candidate))
          .isCloseTo((float) probabilities[input], CLOSE);
      assertThat(candidates.topToken(candidate, 0)).isEqualTo(best);
      assertThat(candidates.topToken(candidate, 1)).isEqualTo(second);
      assertThat(candidates.topProbability(candidate, 1))
          .isCloseTo((float) probabilities[second], CLOSE);
    }
  }

  @Test
  void suppressedTokensAreNeverChosenAndUnconfidentOnesHaveNoConfidence() {
    item(3);
    double[] probabilities = softmax(engine.logits(batch), 0);
    int best = best(probabilities, -1);
    int second = best(probabilities, best);
    batch.clear();
    item(3).suppressedTokens(new int[] {best});
    item(3).unconfidentTokens(new int[] {best});
    Candidates candidates = engine.run(batch);
    assertThat(candidates.bestToken(0)).isEqualTo(second);
    assertThat(candidates.bestProbability(0))
        .isCloseTo((float) (probabilities[second] / (1 - probabilities[best])), CLOSE);
    assertThat(candidates.bestToken(1)).isEqualTo(best);
    assertThat(candidates.bestProbability(1)).isZero();
  }

  @Test
  void guidanceMixesTheLogitsOfAnotherItem() {
    item(3);
    float[] conditional = engine.logits(batch);
    batch.clear();
    batch.add(ItemKind.DENOISE, 0, 0);
    addGuide();
    batch.addCandidateRow(3);
    float[] unconditional = engine.logits(batch);
    float[] mixed = new float[288];
    for (int token = 0; token < 288; token++) {
      mixed[token] = unconditional[token] + 2.5f * (conditional[token] - unconditional[token]);
    }
    batch.clear();
    item(3).guidance(1, 1.5f);
    batch.add(ItemKind.DENOISE, 0, 0);
    addGuide();
    double[] probabilities = softmax(mixed, 0);
    int best = best(probabilities, -1);
    Candidates candidates = engine.run(batch);
    assertThat(candidates.bestToken(0)).isEqualTo(best);
    assertThat(candidates.bestProbability(0)).isCloseTo((float) probabilities[best], within(1e-4f));
  }

  private void addGuide() {
    for (int position = 0; position < TOKENS.length; position++) {
      batch.addToken(position < 3 ? MASK : TOKENS[position]);
    }
  }

  @Test
  void noiseComesFromSeedStepBlockAndPosition() {
    int[] draws = new int[3];
    for (int draw = 0; draw < 3; draw++) {
      batch.clear();
      item(3, 4, 6).temperature(5).randomness(99 + (draw == 2 ? 1 : 0), 2, 7);
      Candidates candidates = engine.run(batch);
      draws[draw] =
          (candidates.sampledToken(0) * 288 + candidates.sampledToken(1)) * 288
              + candidates.sampledToken(2);
    }
    assertThat(draws[1]).isEqualTo(draws[0]);
    assertThat(draws[2]).isNotEqualTo(draws[0]);
  }

  @Test
  void aRefusedStepLeavesTheEngineUsable() {
    item(0);
    float[] before = engine.logits(batch);
    batch.clear();
    batch.add(ItemKind.DENOISE, 0, 0);
    batch.addToken(288);
    refuses(EngineStatus.INVALID_ARGUMENT, "288");
    batch.clear();
    batch.add(ItemKind.DENOISE, 3, 0);
    batch.addToken(1);
    refuses(EngineStatus.INVALID_ARGUMENT, "slot");
    batch.clear();
    batch.add(ItemKind.PREFILL, 0, 0);
    batch.addToken(1);
    refuses(EngineStatus.FAILED_PRECONDITION, "");
    assertThat(catchThrowableOfType(EngineException.class, () -> engine.resetSlot(3)).status())
        .isEqualTo(EngineStatus.INVALID_ARGUMENT);
    engine.resetSlot(2);
    batch.clear();
    item(0);
    assertThat(engine.logits(batch)).isEqualTo(before);
  }

  private void refuses(EngineStatus status, String message) {
    EngineException refusal = catchThrowableOfType(EngineException.class, () -> engine.run(batch));
    assertThat(refusal.status()).isEqualTo(status);
    assertThat(refusal).hasMessageContaining(message).hasMessageContaining("expected");
  }

  @Test
  void modelsThatCannotBeLoadedSayWhy(@TempDir Path directory) throws IOException {
    assertThat(openFailure(directory.resolve("absent"), ProductType.F32).status())
        .isEqualTo(EngineStatus.NOT_FOUND);
    Files.copy(LLADA.resolve("config.json"), directory.resolve("config.json"));
    byte[] weights = Files.readAllBytes(LLADA.resolve("model.safetensors"));
    Files.write(directory.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length - 4));
    assertThat(openFailure(directory, ProductType.F32).status()).isEqualTo(EngineStatus.DATA_LOSS);
    Files.write(directory.resolve("model.safetensors"), weights);
    Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"unheard_of\"}");
    EngineException unknown = openFailure(directory, ProductType.F32);
    assertThat(unknown.status()).isEqualTo(EngineStatus.UNIMPLEMENTED);
    assertThat(unknown).hasMessageContaining("unheard_of");
    EngineException missing = openFailure(LLADA, ProductType.INT4);
    assertThat(missing.status()).isEqualTo(EngineStatus.FAILED_PRECONDITION);
    assertThat(missing).hasMessageContaining("INT4");
    missing = openFailure(LLADA, ProductType.FP8_INPUTS);
    assertThat(missing.status()).isEqualTo(EngineStatus.FAILED_PRECONDITION);
    assertThat(missing).hasMessageContaining("FP8_INPUTS");
  }

  private static EngineException openFailure(Path directory, ProductType products) {
    return catchThrowableOfType(
        EngineException.class,
        () ->
            NativeEngine.open(
                new EngineOptions(directory, 1, products, DeviceChoice.CPU, false, LIMITS)));
  }

  @Test
  void aPartOverWhatPagesHoldComesToTheCandidatesOfTheWhole() {
    EngineLimits limits = new EngineLimits(1, 1, 32, 32, 0, 4, 4);
    EngineOptions options =
        new EngineOptions(LLADA, 1, ProductType.F32, DeviceChoice.CPU, true, limits);
    try (NativeEngine cached = NativeEngine.open(options)) {
      assertThat(cached.info().approximateCache()).isTrue();
      assertThat(cached.info().keyValueCache()).isFalse();
      StepBatch step = new StepBatch(limits);
      step.add(ItemKind.COMMIT, 0, 0).commitTokens(TOKENS.length);
      for (int token : TOKENS) {
        step.addToken(token);
      }
      step.addPage(2);
      step.addPage(1);
      step.addCandidateRow(3);
      step.addCandidateRow(4);
      float[] whole = cached.logits(step);
      step.clear();
      step.add(ItemKind.DENOISE, 0, 3).contextTokens(3).followingTokens(2);
      step.addToken(MASK);
      step.addToken(MASK);
      step.addPage(2);
      step.addPage(1);
      step.addCandidateRow(0);
      step.addCandidateRow(1);
      assertThat(cached.logits(step)).isEqualTo(whole);
      step.item(0).followingTokens(0);
      assertThat(cached.logits(step)).isNotEqualTo(whole);
    }
  }

  @Test
  void isClosedOnce() {
    engine.close();
    engine.close();
    item(0);
    EngineException refusal = catchThrowableOfType(EngineException.class, () -> engine.run(batch));
    assertThat(refusal).hasMessage("engine: closed (expected: open)");
  }

  @Test
  void aStepAllocatesNothing() {
    com.sun.management.ThreadMXBean threads =
        (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long self = Thread.currentThread().threadId();
    for (int warmUp = 0; warmUp < 1000; warmUp++) {
      step();
    }
    long before = threads.getThreadAllocatedBytes(self);
    for (int step = 0; step < 500; step++) {
      step();
    }
    assertThat((threads.getThreadAllocatedBytes(self) - before) / 500).isLessThan(64);
  }

  private void step() {
    batch.clear();
    item(3, 4, 6);
    engine.run(batch);
  }

  private static double[] softmax(float[] logits, int row) {
    double[] probabilities = new double[288];
    double largest = Double.NEGATIVE_INFINITY;
    for (int token = 0; token < 288; token++) {
      largest = Math.max(largest, logits[row * 288 + token]);
    }
    double sum = 0;
    for (int token = 0; token < 288; token++) {
      probabilities[token] = Math.exp(logits[row * 288 + token] - largest);
      sum += probabilities[token];
    }
    for (int token = 0; token < 288; token++) {
      probabilities[token] /= sum;
    }
    return probabilities;
  }

  private static int best(double[] probabilities, int except) {
    int best = except == 0 ? 1 : 0;
    for (int token = 0; token < probabilities.length; token++) {
      if (token != except && probabilities[token] > probabilities[best]) {
        best = token;
      }
    }
    return best;
  }

  @Test
  void aGpuThatIsNotThereIsNamed() {
    DeviceChoice last = new DeviceChoice(DeviceChoice.Kind.CUDA, 63);
    EngineException refusal =
        catchThrowableOfType(
            EngineException.class,
            () ->
                NativeEngine.open(
                    new EngineOptions(LLADA, 1, ProductType.F32, last, false, LIMITS)));
    assertThat(refusal.status()).isEqualTo(EngineStatus.FAILED_PRECONDITION);
    assertThat(refusal).hasMessageMatching("(?s)(CUDA driver|CUDA devices|device_ordinal): .*");
  }

  @Test
  void tellsWhereItComputes() {
    assertThat(engine.info().device().name()).isEqualTo("cpu");
    assertThat(engine.info().device().note()).isEmpty();
    EngineOptions any =
        new EngineOptions(LLADA, 1, ProductType.F32, DeviceChoice.AUTO, false, LIMITS);
    try (NativeEngine auto = NativeEngine.open(any)) {
      EngineDevice device = auto.info().device();
      if (device.name().equals("cpu")) {
        assertThat(device.note()).contains("CUDA");
        assertThat(device.reservedBytes()).isZero();
      } else {
        assertThat(device.name()).startsWith("cuda:0 ");
        assertThat(device.note()).isEmpty();
        assertThat(device.reservedBytes()).isPositive();
      }
    }
  }
}
