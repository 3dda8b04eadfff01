package io.sfumato.engine;

/**
 * What one step may hold.
 *
 * @param slots sessions that may keep state at the same time
 * @param items work items of one step
 * @param batchTokens tokens of one step, all items together
 * @param candidates candidate rows of one step
 * @param topCandidates alternatives per candidate
 * @param pages key-value pages; 0 for families without a cache
 * @param pageTokens tokens of one page
 */
public record EngineLimits(
    int slots,
    int items,
    int batchTokens,
    int candidates,
    int topCandidates,
    int pages,
    int pageTokens) {}
