package io.sfumato.server.rpc;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.error.ServingException;

/**
 * Decides which canvases a client is shown: not more often than it asked for, nor more than it
 * acknowledges. Confined to one call.
 */
final class FramePacer {

  private boolean any;
  private int frame;
  private int acknowledged;
  private int block;
  private int totalSteps;
  private int changes;
  private long sentNanos;

  /** Whether the canvas may be shown now. */
  boolean allows(CanvasSnapshot snapshot, StreamSettings settings, long nowNanos) {
    if (settings.maxUnackedFrames() > 0 && frame - acknowledged >= settings.maxUnackedFrames()) {
      return false;
    }
    if (!any) {
      return true;
    }
    if (nowNanos - sentNanos < settings.minFrameIntervalNanos()) {
      return false;
    }
    return snapshot.block() != block
        || snapshot.changes() != changes
        || snapshot.totalSteps() - totalSteps >= settings.everySteps();
  }

  /** Notes that a canvas was shown. */
  void sent(CanvasSnapshot snapshot, int newFrame, long nowNanos) {
    any = true;
    frame = newFrame;
    block = snapshot.block();
    totalSteps = snapshot.totalSteps();
    changes = snapshot.changes();
    sentNanos = nowNanos;
  }

  /**
   * Notes that the client has seen a frame and all before it.
   *
   * @throws ServingException INVALID_FIELD for a frame that was not sent
   */
  void acknowledge(int receivedFrame) {
    if (receivedFrame < 1 || receivedFrame > frame) {
      throw ServingException.invalidField(
          "frame_ack.frame",
          receivedFrame,
          frame == 0 ? "no acknowledgement before the first frame" : "1.." + frame);
    }
    acknowledged = Math.max(acknowledged, receivedFrame);
  }
}
