package io.sfumato.server.rpc;

import io.sfumato.v1.StreamSpec;

/**
 * What a client wants to be shown, checked and with defaults filled in. Immutable.
 *
 * @param minFrameIntervalNanos least time between two frames
 * @param maxUnackedFrames 0 for no limit but the transport's
 * @param keyframeEveryFrames 0 for the first one only
 * @param alternatives most per position
 * @param revisedTokens whether the end tells of them
 */
record StreamSettings(
    StreamSpec.Detail detail,
    int everySteps,
    long minFrameIntervalNanos,
    int maxUnackedFrames,
    int keyframeEveryFrames,
    boolean tokenIds,
    boolean confidences,
    int alternatives,
    boolean revisedTokens) {

  /** Whether a position looks different in another way of streaming. */
  boolean looksDifferent(StreamSettings other) {
    return tokenIds != other.tokenIds
        || confidences != other.confidences
        || alternatives != other.alternatives;
  }

  boolean showsCommits() {
    return detail == StreamSpec.Detail.DETAIL_COMMITTED
        || detail == StreamSpec.Detail.DETAIL_CANVAS;
  }

  boolean showsCanvas() {
    return detail == StreamSpec.Detail.DETAIL_CANVAS;
  }
}
