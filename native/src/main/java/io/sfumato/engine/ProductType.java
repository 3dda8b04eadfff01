package io.sfumato.engine;

/** Number format of the matrix products. */
public enum ProductType {
  /** F32 on every CPU. */
  AUTO,
  F32,
  /** BF16 inputs, F32 sums; needs a CPU with AVX512_BF16. */
  BF16,
  /** Weights and inputs in 8 bits: a quarter of the memory of F32, on every CPU. */
  INT8
}
