package io.sfumato.server.app;

import io.sfumato.v1.ApproximateCache;

/** Values of {@code --cache}. */
public enum CacheChoice {
  NONE(ApproximateCache.APPROXIMATE_CACHE_NONE),
  PREFIX(ApproximateCache.APPROXIMATE_CACHE_PREFIX),
  DUAL(ApproximateCache.APPROXIMATE_CACHE_DUAL);

  private final ApproximateCache contract;

  CacheChoice(ApproximateCache contract) {
    this.contract = contract;
  }

  /** As the contract names it. */
  public ApproximateCache contract() {
    return contract;
  }
}
