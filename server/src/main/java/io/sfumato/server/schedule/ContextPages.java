package io.sfumato.server.schedule;

import java.util.Set;

/**
 * How many key-value pages to open an engine with, which has to be known before the engine tells
 * anything about its model. Pure functions; thread-safe.
 */
public final class ContextPages {

  /** Tokens of one page. */
  public static final int PAGE_TOKENS = 16;

  /** Values of {@code model_type} whose positions attend in blocks, or to an encoded context. */
  private static final Set<String> ALWAYS =
      Set.of(
          "sdar",
          "sdar_moe",
          "llada2_moe",
          "Fast_dLLM_Qwen",
          "diffusion_gemma",
          "nemotron_labs_diffusion");

  /** Those that attend in blocks or not, as the checkpoint was trained. */
  private static final Set<String> FULL_OR_BLOCK_CAUSAL = Set.of("a2d-qwen2", "a2d-qwen3");

  /** Memory for the pages of a family that keeps finished blocks. */
  public static final long USUAL_BYTES = 4L << 30;

  private ContextPages() {}

  /**
   * Whether a checkpoint keeps finished blocks in them; the others may use them for approximate
   * caches.
   *
   * @param toldBlockCausal whether its published settings say that it attends in blocks
   */
  public static boolean areUsedBy(String modelType, boolean toldBlockCausal) {
    return ALWAYS.contains(modelType)
        || (toldBlockCausal && FULL_OR_BLOCK_CAUSAL.contains(modelType));
  }

  /**
   * Pages for so many whole sequences at the same time, or for as many as the memory holds, one at
   * least.
   *
   * @param tokenBytes keys and values of one token, all layers together, >= 1
   */
  public static int count(int sequences, int positions, long tokenBytes, long memoryBytes) {
    long wanted = (long) sequences * Math.ceilDiv(positions, PAGE_TOKENS);
    return (int) Math.max(1, Math.min(wanted, memoryBytes / (PAGE_TOKENS * tokenBytes)));
  }
}
