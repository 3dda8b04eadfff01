package io.sfumato.engine;

/** Number format of the matrix products. */
public enum ProductType {
  /** F32 on every CPU. */
  AUTO,
  F32,
  /** BF16 inputs, F32 sums; needs a CPU with AVX512_BF16. */
  BF16,
  /** Weights and inputs in 8 bits: a quarter of the memory of F32, on every CPU. */
  INT8,
  /** Weights in FP8 (E4M3), a scale for each output, BF16 inputs; on GPUs. */
  FP8,
  /** Weights in 4 bits, a scale for each group of 32, BF16 inputs; on GPUs. */
  INT4,
  /**
   * As {@link #FP8}, with inputs of dense products in FP8 too, a scale for each row; on GPUs of
   * compute capability 8.9 or more.
   */
  FP8_INPUTS
}
