package io.sfumato.bench;

import io.sfumato.engine.Candidates;
import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.ItemKind;
import io.sfumato.engine.NativeEngine;
import io.sfumato.engine.ProductType;
import io.sfumato.engine.StepBatch;
import io.sfumato.engine.binding.Sfumato;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What it costs to call the native core: the bare call, a step without items, and a step of one
 * token.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class NativeCallBenchmark {

  private NativeEngine engine;
  private StepBatch nothing;
  private StepBatch oneToken;

  @Setup
  public void open() {
    EngineLimits limits = new EngineLimits(1, 8, 512, 512, 0, 0, 16);
    Path model = Path.of(System.getProperty("sfumato.home", "."), "models", "default");
    engine =
        NativeEngine.open(
            new EngineOptions(model, 1, ProductType.AUTO, DeviceChoice.CPU, false, limits));
    nothing = new StepBatch(limits);
    oneToken = new StepBatch(limits);
    oneToken.add(ItemKind.DENOISE, 0, 0);
    oneToken.addToken(5);
  }

  @TearDown
  public void close() {
    engine.close();
  }

  /** A call without arguments. */
  @Benchmark
  public int call() {
    return Sfumato.sfumato_abi_version();
  }

  /** Batch copied, planned and run, without any work in it. */
  @Benchmark
  public Candidates stepWithoutItems() {
    return engine.run(nothing);
  }

  /** The whole path for one token without candidates. */
  @Benchmark
  public Candidates stepOfOneToken() {
    return engine.run(oneToken);
  }
}
