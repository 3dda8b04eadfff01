package io.sfumato.server.verify;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.ProductType;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.schedule.ContextPages;
import io.sfumato.server.schedule.EngineLoop;
import io.sfumato.server.schedule.EngineLoopOptions;
import io.sfumato.server.session.NanoClock;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * Loads a model directory and compares everything its {@code golden.json} records with what the
 * engine, the session and the policies of the server make of it. Confined to the calling thread.
 */
public final class Verification {

  private static final int BATCH_TOKENS = 4096;
  private static final EngineLimits LIMITS =
      new EngineLimits(
          64,
          64,
          BATCH_TOKENS,
          BATCH_TOKENS,
          0,
          BATCH_TOKENS / ContextPages.PAGE_TOKENS,
          ContextPages.PAGE_TOKENS);

  private Verification() {}

  /**
   * Replays every case and hands its row out as soon as it is known, forward cases first.
   *
   * @param threads of the engine; 0 for one per core
   * @return whether no row is a FAIL
   * @throws ServingException MODEL_CAPABILITY when golden.json is missing or malformed, or does not
   *     fit the model
   * @throws io.sfumato.engine.EngineException when the model cannot be loaded
   */
  public static boolean run(
      Path directory,
      int threads,
      ProductType products,
      DeviceChoice device,
      NanoClock clock,
      Consumer<VerificationRow> rows) {
    if (!GoldenFile.isIn(directory)) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "golden.json: absent in " + directory + " (expected: recorded outputs)");
    }
    GoldenFile golden = GoldenFile.read(directory);
    List<DecodeTrace> traces = golden.traces();
    NativeEngine engine =
        NativeEngine.open(new EngineOptions(directory, threads, products, device, true, LIMITS));
    try (EngineLoop loop = loop(engine, golden, clock)) {
      Tally tally = new Tally(rows);
      ForwardReplay forward = new ForwardReplay(engine, golden.logitTolerance(), golden.clearGap());
      forward.replay(golden.forwardCases(engine.info().vocabulary())).forEach(tally);
      TraceReplay replay = new TraceReplay(loop, maskToken(engine, golden));
      traces.forEach(trace -> tally.accept(replay.replay(trace)));
      return tally.good;
    }
  }

  /** Takes ownership of the engine. */
  private static EngineLoop loop(NativeEngine engine, GoldenFile golden, NanoClock clock) {
    try {
      EngineLoopOptions options =
          new EngineLoopOptions("engine-verify", 0, maskToken(engine, golden), 0, "verify-");
      return new EngineLoop(engine, options, clock, () -> {});
    } catch (IllegalArgumentException refusal) {
      String family = engine.info().family();
      engine.close();
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY, family + ": " + refusal.getMessage(), refusal);
    }
  }

  private static int maskToken(NativeEngine engine, GoldenFile golden) {
    return golden.maskToken() >= 0 ? golden.maskToken() : engine.info().maskTokenId();
  }

  private static final class Tally implements Consumer<VerificationRow> {

    private final Consumer<VerificationRow> rows;
    private boolean good = true;

    Tally(Consumer<VerificationRow> rows) {
      this.rows = rows;
    }

    @Override
    public void accept(VerificationRow row) {
      good &= row.outcome() != VerificationRow.Outcome.FAIL;
      rows.accept(row);
    }
  }
}
