package io.sfumato.server.verify;

import static io.sfumato.server.verify.ReplaySpecs.NO_TOKENS;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.sampling.UniformNoise;
import io.sfumato.server.session.Attending;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * A recorded decoding on canvases of uniform noise, as the whole sequences that a session shows:
 * the most probable tokens where a step has accepted, and all of them after a block's last step.
 * Confined to one thread.
 */
final class UniformRecord {

  private final List<int[]> canvases = new ArrayList<>();
  private final int promptLength;
  private int blockStart;
  private int[] best = {};

  UniformRecord(int[] prompt, int length) {
    int[] empty = Arrays.copyOf(prompt, prompt.length + length);
    Arrays.fill(empty, prompt.length, empty.length, CanvasSnapshot.NO_TOKEN);
    canvases.add(empty);
    promptLength = prompt.length;
    blockStart = prompt.length;
  }

  /**
   * Adds a step.
   *
   * @param newBest most probable tokens of the block
   * @param accepted 1 where the step has accepted
   */
  void add(int[] newBest, int[] accepted) {
    best = newBest;
    int[] canvas = canvases.getLast().clone();
    for (int offset = 0; offset < best.length && blockStart + offset < canvas.length; offset++) {
      canvas[blockStart + offset] = accepted[offset] != 0 ? best[offset] : CanvasSnapshot.NO_TOKEN;
    }
    canvases.add(canvas);
  }

  /** The step that was added last has finished its block. */
  void endBlock() {
    int[] canvas = canvases.getLast();
    int visible = Math.min(best.length, canvas.length - blockStart);
    System.arraycopy(best, 0, canvas, blockStart, visible);
    blockStart += visible;
  }

  int[][] canvases() {
    return canvases.toArray(int[][]::new);
  }

  /** The generated part of a sequence, up to the first token that ends it. */
  int[] result(int[] sequence, int[] ends) {
    int end = promptLength;
    boolean ended = false;
    while (end < sequence.length && !ended) {
      int token = sequence[end++];
      ended = Arrays.stream(ends).anyMatch(each -> each == token);
    }
    return Arrays.copyOfRange(sequence, promptLength, end);
  }

  /**
   * The random tokens of each block: those that it begins with, then those of each step.
   *
   * @param initial per block that was begun
   * @param noise // [blocks, steps, length]
   */
  static int[][][] noise(int[][] initial, int[] noise, int blocks, int steps, int length) {
    int[][][] all = new int[blocks][steps + 1][length];
    for (int block = 0; block < blocks; block++) {
      if (block < initial.length) {
        all[block][0] = initial[block];
      }
      for (int step = 0; step < steps; step++) {
        System.arraycopy(noise, (block * steps + step) * length, all[block][step + 1], 0, length);
      }
    }
    return all;
  }

  /** Of DiffusionGemma's generate, with recorded noise and the best token for the drawn one. */
  static Optional<Replay> replay(DecodeTrace trace, TraceParameters parameters) {
    if (!parameters.text("sampler", "").equals("entropy_bound")) {
      return Optional.empty();
    }
    int block = parameters.positive("canvas_length");
    int steps = parameters.positive("max_denoising_steps");
    float low = parameters.number("t_min");
    float high = parameters.number("t_max");
    SamplingSpec sampling =
        new SamplingSpec(
            0,
            new TemperatureSchedule(high, (float) (low + ((double) high - low) / steps)),
            steps,
            1,
            new AcceptanceSpec.EntropyBound(parameters.number("entropy_bound")),
            RevisionSpec.NONE,
            0,
            NO_TOKENS,
            NO_TOKENS,
            false,
            Optional.of(
                new UniformNoise(
                    Math.max(0, parameters.integer("stability_threshold")),
                    parameters.number("confidence_threshold"),
                    trace.noise())));
    return Optional.of(
        Replay.of(
                ReplaySpecs.session(
                    trace.prompt(),
                    CanvasStart.undecided(parameters.positive("max_new_tokens")),
                    Attending.CAUSAL,
                    block,
                    sampling))
            .stopping(parameters.tokens("eos_token_id"), Replay.Stop.WITH_BLOCK));
  }
}
