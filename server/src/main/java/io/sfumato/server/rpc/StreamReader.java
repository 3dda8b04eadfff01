package io.sfumato.server.rpc;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import io.sfumato.server.canvas.Alternatives;
import io.sfumato.server.model.ServedModel;
import io.sfumato.v1.StreamSpec;

/** Reads a {@link StreamSpec}. Pure. */
final class StreamReader {

  private static final int MOST_STEPS = 4096;
  private static final int MOST_UNACKED = 1024;
  private static final Duration LONGEST_INTERVAL = Durations.fromSeconds(60);

  private StreamReader() {}

  /**
   * @param path of the spec in its request
   * @param hasControls whether the call can acknowledge frames
   */
  static StreamSettings read(
      StreamSpec spec, String path, ServedModel model, boolean hasControls, Problems problems) {
    StreamSpec.Detail detail = spec.getDetail();
    if (detail == StreamSpec.Detail.UNRECOGNIZED) {
      problems.invalid(path + ".detail", spec.getDetailValue(), "a value of StreamSpec.Detail");
    }
    if (detail == StreamSpec.Detail.DETAIL_UNSPECIFIED) {
      detail = StreamSpec.Detail.DETAIL_COMMITTED;
    }
    int everySteps = 1;
    if (spec.hasEveryNSteps()) {
      everySteps =
          Ranges.integer(problems, path + ".every_n_steps", spec.getEveryNSteps(), 1, MOST_STEPS);
    }
    long interval = 0;
    if (spec.hasMinFrameInterval()) {
      interval =
          Ranges.nanos(
              problems, path + ".min_frame_interval", spec.getMinFrameInterval(), LONGEST_INTERVAL);
    }
    int unacked =
        Ranges.integer(
            problems, path + ".max_unacked_frames", spec.getMaxUnackedFrames(), 0, MOST_UNACKED);
    if (unacked > 0 && !hasControls) {
      problems.invalid(
          path + ".max_unacked_frames", unacked, "0 in a call without acknowledgements");
    }
    int keyframes =
        Ranges.integer(
            problems,
            path + ".keyframe_every_n_frames",
            spec.getKeyframeEveryNFrames(),
            0,
            MOST_STEPS);
    int alternatives =
        Ranges.integer(
            problems, path + ".max_alternatives", spec.getMaxAlternatives(), 0, Alternatives.MOST);
    if (alternatives > model.mostAlternatives()) {
      problems.capability(
          path + ".max_alternatives", alternatives, "<= " + model.mostAlternatives());
    }
    return new StreamSettings(
        detail,
        everySteps,
        interval,
        unacked,
        keyframes,
        spec.getIncludeTokenIds() || model.text().isEmpty(), // all there is to show then
        spec.getIncludeConfidences(),
        alternatives,
        spec.getIncludeRevisedTokens());
  }
}
