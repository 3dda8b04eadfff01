package io.sfumato.engine;

import io.sfumato.engine.binding.EngineHandle;
import io.sfumato.engine.binding.Facts;
import io.sfumato.engine.binding.Options;
import io.sfumato.engine.binding.Sfumato;
import java.io.IOException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;

/**
 * The denoising core in C++, through its C interface.
 *
 * <p>Confined to one thread at a time. A step copies the batch into the core's arrays and the
 * candidates out of them, and allocates nothing.
 */
public final class NativeEngine implements DenoiseEngine {

  private static final String PLUGIN = "/libsfumato_cuda.so";

  private final EngineLimits limits;
  private final EngineHandle handle;
  private final EngineInfo info;
  private final NativeBuffers buffers;
  private final Candidates candidates;
  private boolean closed;

  private NativeEngine(EngineHandle handle, EngineLimits limits) {
    this.handle = handle;
    this.limits = limits;
    info = readInfo(handle);
    buffers = new NativeBuffers(handle, limits);
    candidates = new Candidates(limits);
  }

  /**
   * Loads a model and allocates everything its steps need.
   *
   * @throws EngineException with the core's own message: NOT_FOUND or DATA_LOSS for a model
   *     directory that is incomplete or damaged, UNIMPLEMENTED for a family or feature that the
   *     core does not have, FAILED_PRECONDITION for a CPU that lacks what was asked for or a GPU
   *     that can't be used, RESOURCE_EXHAUSTED, INVALID_ARGUMENT
   */
  public static NativeEngine open(EngineOptions options) {
    requireInterface();
    if (options.device().kind() != DeviceChoice.Kind.CPU) {
      unpackPlugin();
    }
    EngineHandle handle = new EngineHandle();
    try (Options nativeOptions = new Options();
        BytePointer directory =
            new BytePointer(options.modelDirectory().toString(), StandardCharsets.UTF_8)) {
      requireOpened(Sfumato.sfumato_default_options(nativeOptions));
      EngineLimits limits = options.limits();
      nativeOptions.model_directory(directory);
      nativeOptions.threads(options.threads());
      nativeOptions.product_type(options.products().ordinal());
      nativeOptions.device(options.device().kind().ordinal());
      nativeOptions.device_ordinal(options.device().ordinal());
      nativeOptions.approximate_cache(options.approximateCache() ? 1 : 0);
      nativeOptions.max_slots(limits.slots());
      nativeOptions.max_items(limits.items());
      nativeOptions.max_batch_tokens(limits.batchTokens());
      nativeOptions.max_candidates(limits.candidates());
      nativeOptions.max_top_candidates(limits.topCandidates());
      nativeOptions.max_pages(limits.pages());
      nativeOptions.page_tokens(limits.pageTokens());
      requireOpened(Sfumato.sfumato_open(nativeOptions, handle));
    }
    try {
      return new NativeEngine(handle, options.limits());
    } catch (RuntimeException | Error failure) {
      Sfumato.sfumato_close(handle);
      throw failure;
    }
  }

  /**
   * How far an {@link #open} on another thread has come with the weights of that directory; empty
   * while none reads them. From any thread.
   */
  public static Optional<LoadProgress> loadProgress(Path modelDirectory) {
    long[] bytesRead = new long[1];
    long[] bytesTotal = new long[1];
    try (BytePointer directory =
        new BytePointer(modelDirectory.toString(), StandardCharsets.UTF_8)) {
      int status = Sfumato.sfumato_load_progress(directory, bytesRead, bytesTotal);
      if (status == Sfumato.SFUMATO_NOT_FOUND) {
        return Optional.empty();
      }
      requireOpened(status);
    }
    return Optional.of(new LoadProgress(bytesRead[0], bytesTotal[0]));
  }

  private static void requireInterface() {
    int version;
    try {
      version = Sfumato.sfumato_abi_version();
    } catch (LinkageError missing) {
      throw new EngineException(
          EngineStatus.NOT_FOUND,
          "native core: " + missing.getMessage() + " (expected: its library beside the jar)");
    }
    if (version != Sfumato.SFUMATO_ABI_VERSION) {
      throw new EngineException(
          EngineStatus.UNIMPLEMENTED,
          "native core's interface: "
              + version
              + " (expected: "
              + Sfumato.SFUMATO_ABI_VERSION
              + ")");
    }
  }

  /** Where the jar holds the library for GPUs, it must lie beside the one that looks for it. */
  private static void unpackPlugin() {
    URL library = Sfumato.class.getResource("/io/sfumato/engine/" + Loader.getPlatform() + PLUGIN);
    if (library == null) {
      return;
    }
    try {
      Loader.cacheResource(library);
    } catch (IOException e) {
      throw new EngineException(
          EngineStatus.FAILED_PRECONDITION,
          "CUDA plug-in: " + e + " (expected: a cache folder that it can be unpacked to)");
    }
  }

  private static EngineInfo readInfo(EngineHandle handle) {
    try (Facts facts = new Facts()) {
      facts.struct_size(facts.sizeof());
      require(Sfumato.sfumato_get_info(handle, facts), handle);
      return new EngineInfo(
          text(facts.family()),
          text(facts.instruction_set()),
          text(facts.products()),
          facts.vocabulary(),
          facts.hidden_size(),
          facts.layers(),
          facts.max_positions(),
          facts.mask_token_id(),
          facts.end_of_text_token_id(),
          facts.pad_token_id(),
          AttentionKind.values()[facts.attention()],
          facts.has_key_value_cache() != 0,
          facts.approximate_cache() != 0,
          facts.shifted_logits() != 0,
          facts.block_length(),
          facts.threads(),
          facts.parameters(),
          facts.weight_bytes(),
          facts.state_bytes(),
          new EngineDevice(
              text(facts.device()),
              text(facts.device_note()),
              facts.page_bytes(),
              facts.device_bytes(),
              facts.device_free_bytes(),
              facts.device_total_bytes()));
    }
  }

  private static String text(BytePointer field) {
    return field.getString(StandardCharsets.UTF_8);
  }

  @Override
  public EngineInfo info() {
    return info;
  }

  @Override
  public EngineLimits limits() {
    return limits;
  }

  @Override
  public Candidates run(StepBatch batch) {
    plan(batch);
    require(Sfumato.sfumato_run(handle), handle);
    buffers.read(batch.candidateCount(), candidates);
    return candidates;
  }

  /**
   * Runs a step and also returns the model's raw logits of its rows, before temperature,
   * suppression and guidance. For verification.
   *
   * @return one row after the other // [candidates, vocabulary]
   */
  public float[] logits(StepBatch batch) {
    plan(batch);
    float[] logits = new float[Math.multiplyExact(batch.candidateCount(), info.vocabulary())];
    require(Sfumato.sfumato_run_logits(handle, logits, logits.length), handle);
    buffers.read(batch.candidateCount(), candidates);
    return logits;
  }

  private void plan(StepBatch batch) {
    requireOpen();
    buffers.write(batch);
    require(Sfumato.sfumato_plan(handle, batch.itemCount()), handle);
  }

  @Override
  public void resetSlot(int slot) {
    requireOpen();
    require(Sfumato.sfumato_reset_slot(handle, slot), handle);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Sfumato.sfumato_close(handle);
    }
  }

  private void requireOpen() {
    if (closed) {
      throw new EngineException(EngineStatus.INTERNAL, "engine: closed (expected: open)");
    }
  }

  private static void requireOpened(int status) {
    require(status, null);
  }

  /** Throws what the core refused or failed to do; the handle is null before there is an engine. */
  static void require(int status, EngineHandle handle) {
    if (status == Sfumato.SFUMATO_OK) {
      return;
    }
    EngineStatus[] statuses = EngineStatus.values();
    EngineStatus reason =
        status >= 1 && status <= statuses.length ? statuses[status - 1] : EngineStatus.INTERNAL;
    BytePointer message = Sfumato.sfumato_last_error(handle);
    throw new EngineException(reason, message.getString(StandardCharsets.UTF_8));
  }
}
