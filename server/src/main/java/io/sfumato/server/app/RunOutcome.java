package io.sfumato.server.app;

import io.sfumato.v1.Accepted;
import io.sfumato.v1.Finished;

/**
 * What came of a run. Immutable.
 *
 * @param frames canvases seen
 * @param firstCanvasNanos from the request to the first canvas; 0 when there was none
 * @param totalNanos from the request to the end
 */
record RunOutcome(
    Accepted accepted,
    Finished finished,
    int frames,
    int steps,
    long firstCanvasNanos,
    long totalNanos) {}
