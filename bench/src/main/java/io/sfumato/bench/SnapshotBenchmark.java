package io.sfumato.bench;

import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.CanvasDiff;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What one step costs on the canvas: an immutable snapshot, and its difference from the last one.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SnapshotBenchmark {

  @Param({"256", "4096"})
  private int length;

  private Canvas canvas;
  private CanvasSnapshot previous;
  private CanvasSnapshot next;

  @Setup
  public void write() {
    canvas = new Canvas(CanvasStart.undecided(length), length, length);
    for (int position = 0; position < length; position += 3) {
      canvas.decide(position, position, 0.9f);
    }
    previous = canvas.snapshot(1, 1);
    for (int position = 1; position < length; position += 15) {
      canvas.decide(position, position, 0.8f);
    }
    next = canvas.snapshot(2, 2);
  }

  @Benchmark
  public CanvasSnapshot snapshot() {
    return canvas.snapshot(2, 2);
  }

  @Benchmark
  public Object difference() {
    return CanvasDiff.between(previous, next, true, position -> false);
  }
}
