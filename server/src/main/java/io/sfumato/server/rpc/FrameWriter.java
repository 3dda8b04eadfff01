package io.sfumato.server.rpc;

import com.google.protobuf.ByteString;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.text.CanvasText;
import io.sfumato.v1.CanvasDelta;
import io.sfumato.v1.CanvasKeyframe;
import io.sfumato.v1.Event;
import io.sfumato.v1.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/**
 * Makes frames of canvases: whole ones, or what changed since the one before. Confined to one call.
 *
 * <p>A position has changed when anything that the client sees of it has: its state, token, text or
 * confidence.
 */
final class FrameWriter {

  private final Optional<CanvasText> canvasText;
  private CanvasSnapshot shown;
  private String[] shownTexts = {};
  private int frame;
  private int sinceKeyframe;

  /**
   * @param canvasText empty for a model without a tokenizer
   */
  FrameWriter(Optional<CanvasText> canvasText) {
    this.canvasText = canvasText;
  }

  /** Number of the frame made last; 0 before the first. */
  int frame() {
    return frame;
  }

  /** The canvas that was shown last, or null. */
  CanvasSnapshot shown() {
    return shown;
  }

  /**
   * Writes the next frame.
   *
   * @param whole whether a keyframe is wanted in any case
   * @return whether there was anything to show
   */
  boolean write(
      CanvasSnapshot snapshot, StreamSettings settings, boolean whole, Event.Builder event) {
    String[] texts = texts(snapshot);
    boolean due =
        settings.keyframeEveryFrames() > 0 && sinceKeyframe >= settings.keyframeEveryFrames();
    boolean keyframe = whole || due || shown == null;
    BitSet changed = keyframe ? all(snapshot) : changed(snapshot, texts, settings);
    if (changed.isEmpty()) {
      return false;
    }
    List<Span> spans = spans(snapshot, texts, changed, settings);
    int basis = frame;
    frame++;
    if (keyframe) {
      sinceKeyframe = 1;
      event.setCanvasKeyframe(CanvasKeyframe.newBuilder().setFrame(frame).addAllSpans(spans));
    } else {
      sinceKeyframe++;
      event.setCanvasDelta(
          CanvasDelta.newBuilder().setFrame(frame).setBasisFrame(basis).addAllSpans(spans));
    }
    shown = snapshot;
    shownTexts = texts;
    return true;
  }

  private String[] texts(CanvasSnapshot snapshot) {
    String[] texts = new String[snapshot.length()];
    Arrays.fill(texts, "");
    if (canvasText.isPresent()) {
      int[] tokens = snapshot.tokens();
      int start = 0;
      while (start < texts.length) {
        int end = runEnd(snapshot, start);
        if (snapshot.state(start) != TokenState.UNDECIDED) {
          canvasText.get().write(tokens, start, end, texts);
        }
        start = end;
      }
    }
    return texts;
  }

  private static int runEnd(CanvasSnapshot snapshot, int start) {
    int end = start + 1;
    while (end < snapshot.length() && snapshot.state(end) == snapshot.state(start)) {
      end++;
    }
    return end;
  }

  private static BitSet all(CanvasSnapshot snapshot) {
    BitSet all = new BitSet(snapshot.length());
    all.set(0, snapshot.length());
    return all;
  }

  private BitSet changed(CanvasSnapshot snapshot, String[] texts, StreamSettings settings) {
    BitSet changed = new BitSet(snapshot.length());
    for (int position = 0; position < snapshot.length(); position++) {
      TokenState state = snapshot.state(position);
      boolean differs = state != shown.state(position);
      if (!differs && state != TokenState.UNDECIDED) {
        differs =
            snapshot.token(position) != shown.token(position)
                || !texts[position].equals(shownTexts[position])
                || (settings.confidences()
                    && state != TokenState.PINNED
                    && level(snapshot.confidence(position)) != level(shown.confidence(position)));
      }
      changed.set(position, differs);
    }
    return changed;
  }

  private static List<Span> spans(
      CanvasSnapshot snapshot, String[] texts, BitSet changed, StreamSettings settings) {
    List<Span> spans = new ArrayList<>();
    int start = changed.nextSetBit(0);
    while (start >= 0) {
      int end = Math.min(runEnd(snapshot, start), changed.nextClearBit(start));
      spans.add(span(snapshot, texts, start, end, settings));
      start = changed.nextSetBit(end);
    }
    return spans;
  }

  private static Span span(
      CanvasSnapshot snapshot, String[] texts, int start, int end, StreamSettings settings) {
    TokenState state = snapshot.state(start);
    Span.Builder span =
        Span.newBuilder().setStart(start).setLength(end - start).setState(ProtoMapper.state(state));
    if (state == TokenState.UNDECIDED) {
      return span.build();
    }
    for (int position = start; position < end; position++) {
      span.addTexts(texts[position]);
      if (settings.tokenIds()) {
        span.addTokenIds(snapshot.token(position));
      }
    }
    if (settings.confidences() && state != TokenState.PINNED) {
      byte[] levels = new byte[end - start];
      for (int position = start; position < end; position++) {
        levels[position - start] = (byte) level(snapshot.confidence(position));
      }
      span.setConfidences(ByteString.copyFrom(levels));
    }
    return span.build();
  }

  private static int level(float confidence) {
    return Math.clamp(Math.round(confidence * 255), 0, 255);
  }
}
