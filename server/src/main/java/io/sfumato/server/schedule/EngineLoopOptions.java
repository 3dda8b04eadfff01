package io.sfumato.server.schedule;

/**
 * How an engine is shared by sessions.
 *
 * @param threadName name of the engine thread, e.g. {@code engine-cpu}
 * @param queueCapacity sessions that may wait for a slot, 0..100000
 * @param maskToken token that the model reads at undecided positions, for models whose config names
 *     none; else -1
 * @param prefixCacheTokens most tokens that ended sessions leave in the key-value pages for others
 *     that begin with them, >= 0; 0 also keeps running sessions from sharing
 * @param sessionPrefix how session ids begin; something that differs from server to server and
 *     start to start
 */
public record EngineLoopOptions(
    String threadName,
    int queueCapacity,
    int maskToken,
    int prefixCacheTokens,
    String sessionPrefix) {

  public EngineLoopOptions {
    if (queueCapacity < 0 || queueCapacity > 100_000) {
      throw new IllegalArgumentException(
          "queue_capacity: " + queueCapacity + " (expected: 0..100000)");
    }
    if (prefixCacheTokens < 0) {
      throw new IllegalArgumentException(
          "prefix_cache_tokens: " + prefixCacheTokens + " (expected: >= 0)");
    }
  }
}
