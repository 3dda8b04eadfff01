package io.sfumato.server.model;

import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineException;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.canvas.Alternatives;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.schedule.ContextPages;
import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.schedule.EngineLoopOptions;
import io.sfumato.server.session.NanoClock;
import io.sfumato.server.text.ChatMessage;
import io.sfumato.server.text.ChatTemplate;
import io.sfumato.server.text.HuggingFaceTextCodec;
import io.sfumato.server.text.TextCodec;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Makes a served model of a model directory: files, engine, tokenizer, defaults, engine loop,
 * warm-up. Thread-safe.
 *
 * <p>The tokenizer is loaded on a thread of its own beside the weights.
 */
public final class ModelLoader {

  private static final Logger LOG = System.getLogger(ModelLoader.class.getName());

  private final EngineFactory engines;
  private final NanoClock clock;
  private final InstantSource dates;
  private final String sessionPrefix;

  /**
   * @param dates for chat templates that print the date
   * @param sessionPrefix how session ids begin
   */
  public ModelLoader(
      EngineFactory engines, NanoClock clock, InstantSource dates, String sessionPrefix) {
    this.engines = engines;
    this.clock = clock;
    this.dates = dates;
    this.sessionPrefix = sessionPrefix;
  }

  /**
   * Loads, warms up and starts a model.
   *
   * @param whenLost called once when the engine has failed for good; must not block
   * @throws ServingException MODEL_CAPABILITY with everything that is wrong, one problem per line
   */
  public LoadedModel load(ModelSource source, Runnable whenLost) throws InterruptedException {
    ModelDirectory directory = ModelDirectory.read(source.directory());
    FutureTask<Optional<HuggingFaceTextCodec>> text = new FutureTask<>(() -> openText(directory));
    Thread.ofPlatform().daemon().name("tokenizer-" + source.name()).start(text);
    List<AutoCloseable> opened = new ArrayList<>();
    try {
      DenoiseEngine engine = open(source, options(source, directory));
      opened.add(engine);
      String digest = ModelDigest.of(directory.path());
      Optional<HuggingFaceTextCodec> codec = result(text);
      codec.ifPresent(opened::add);
      EngineInfo info = engine.info();
      ModelDefaults defaults = PublishedDefaults.read(directory, info);
      int mask = defaults.isUniform() ? -1 : maskToken(source, directory, codec, info);
      warmUp(engine, Math.max(mask, 0), defaults);
      EngineLoopOptions loopOptions =
          new EngineLoopOptions(
              "engine-" + source.name(),
              source.queueCapacity(),
              mask,
              source.prefixCacheTokens(),
              sessionPrefix);
      EngineLoop loop = new EngineLoop(engine, loopOptions, clock, whenLost);
      loop.start();
      opened.clear();
      ServedModel served =
          new ServedModel(
              source.name(),
              digest,
              info,
              defaults,
              codec.map(TextCodec.class::cast),
              engine.limits().topCandidates(),
              loop);
      return new LoadedModel(served, loop, warnings(directory, served));
    } catch (EngineException | IllegalArgumentException e) {
      throw new ServingException(ErrorReason.MODEL_CAPABILITY, e.getMessage(), e);
    } catch (IOException e) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          source.directory() + ": " + e + " (expected: readable files)",
          e);
    } finally {
      closeAll(opened);
    }
  }

  private DenoiseEngine open(ModelSource source, EngineOptions options) {
    LoadWatch watch =
        new LoadWatch(
            source.name(),
            LoadWatch.USUAL_INTERVAL,
            () -> engines.progress(options.modelDirectory()),
            line -> LOG.log(Level.INFO, line));
    try {
      return engines.open(options);
    } finally {
      watch.stop();
    }
  }

  private Optional<HuggingFaceTextCodec> openText(ModelDirectory directory) {
    if (directory.tokenizerJson().isEmpty()) {
      return Optional.empty();
    }
    Optional<ChatTemplate> template =
        directory
            .chatTemplate()
            .map(source -> new ChatTemplate(source, directory.namedTokens(), dates));
    HuggingFaceTextCodec codec =
        new HuggingFaceTextCodec(
            directory.tokenizerJson().get(),
            directory.specialTokens(),
            directory.specialIds(),
            template);
    warmUp(codec);
    return Optional.of(codec);
  }

  private static EngineOptions options(ModelSource source, ModelDirectory directory) {
    int positions = directory.maxPositions();
    int batchTokens = source.batchTokens();
    if (batchTokens == 0) {
      long all = (long) source.slots() * positions;
      batchTokens =
          (int)
              Math.max(directory.leastBatchTokens(), Math.min(all, ModelSource.USUAL_BATCH_TOKENS));
    }
    int items = 2 * source.slots(); // guidance takes two
    boolean exact = directory.keepsBlocks();
    long pageBytes = exact ? ContextPages.USUAL_BYTES : source.approximateCacheBytes();
    int pages =
        pageBytes == 0
            ? 0
            : ContextPages.count(source.slots(), positions, directory.tokenBytes(), pageBytes);
    EngineLimits limits =
        new EngineLimits(
            source.slots(),
            items,
            batchTokens,
            batchTokens,
            Alternatives.MOST,
            pages,
            ContextPages.PAGE_TOKENS);
    return new EngineOptions(
        source.directory(), source.threads(), source.products(), source.device(), !exact, limits);
  }

  private static int maskToken(
      ModelSource source,
      ModelDirectory directory,
      Optional<HuggingFaceTextCodec> codec,
      EngineInfo info) {
    int mask = source.maskTokenId();
    if (mask < 0) {
      mask = info.maskTokenId();
    }
    if (mask < 0) {
      mask = directory.maskTokenId();
    }
    String text = directory.namedTokens().get("mask_token");
    if (mask < 0 && text != null && codec.isPresent()) {
      mask = codec.get().specialId(text).orElse(-1);
    }
    if (mask < 0 || mask >= info.vocabulary()) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "mask_token_id: "
              + (mask < 0 ? "none" : mask)
              + " (expected: 0.."
              + (info.vocabulary() - 1)
              + " in config.json, or mask_token in tokenizer_config.json, or mask_token_id in the"
              + " server's configuration)");
    }
    return mask;
  }

  /** The first run of a shape is the slow one: libraries choose their kernels then. */
  private static void warmUp(DenoiseEngine engine, int token, ModelDefaults defaults) {
    int longest = defaults.encodesContext() ? defaults.longestBlock() : defaults.maxLengthTokens();
    int tokens = Math.min(longest, engine.limits().candidates());
    StepBatch batch = new StepBatch(engine.limits());
    batch.add(ItemKind.DENOISE, 0, 0).blocks(defaults.attendingLength(), 0);
    for (int position = 0; position < tokens; position++) {
      batch.addToken(token);
      batch.addCandidateRow(position);
    }
    engine.run(batch);
    engine.resetSlot(0);
  }

  private static void warmUp(HuggingFaceTextCodec codec) {
    if (!codec.hasChatTemplate()) {
      return;
    }
    try {
      codec.encodeChat(List.of(new ChatMessage("user", "Hello")), "");
    } catch (ServingException e) {
      if (e.reason() != ErrorReason.INVALID_FIELD) {
        throw e; // a template may refuse this conversation and take others
      }
    }
  }

  private static List<String> warnings(ModelDirectory directory, ServedModel model) {
    List<String> warnings = new ArrayList<>();
    model
        .text()
        .ifPresentOrElse(
            codec -> {
              if (codec.vocabulary() > model.engine().vocabulary()) {
                warnings.add(
                    "tokenizer.json vocabulary: "
                        + codec.vocabulary()
                        + " (expected: at most the model's "
                        + model.engine().vocabulary()
                        + "; texts that need the others are refused)");
              }
              if (!codec.hasChatTemplate()) {
                warnings.add("chat_template: none (chats are refused)");
              }
            },
            () -> warnings.add("tokenizer.json: none (served by token ids; texts are refused)"));
    if (model.defaults().endOfTextTokens().length == 0) {
      warnings.add("eos_token_id: none (texts end when the canvas is full)");
    }
    if (directory.generation().path("sfumato").isMissingNode() && !model.defaults().isUniform()) {
      warnings.add("generation_config.json sfumato: none (decoding defaults are the family's)");
    }
    return List.copyOf(warnings);
  }

  private static <T> T result(FutureTask<T> task) throws InterruptedException {
    try {
      return task.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ServingException refusal) {
        throw refusal;
      }
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "tokenizer.json: " + e.getCause() + " (expected: a Hugging Face tokenizer)",
          e.getCause());
    }
  }

  private static void closeAll(List<AutoCloseable> opened) {
    for (AutoCloseable each : opened.reversed()) {
      try {
        each.close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
