package io.sfumato.server.app.terminal;

import com.google.protobuf.ByteString;
import io.sfumato.v1.CanvasDelta;
import io.sfumato.v1.CanvasKeyframe;
import io.sfumato.v1.Span;
import io.sfumato.v1.TokenState;
import java.util.Arrays;
import java.util.List;

/** Messages for tests of what a client draws. Stateless. */
final class Canvases {

  private Canvases() {}

  static Span undecided(int start, int length) {
    return Span.newBuilder()
        .setStart(start)
        .setLength(length)
        .setState(TokenState.TOKEN_STATE_UNDECIDED)
        .build();
  }

  static Span span(int start, TokenState state, int confidence, String... texts) {
    byte[] levels = new byte[texts.length];
    Arrays.fill(levels, (byte) confidence);
    return Span.newBuilder()
        .setStart(start)
        .setLength(texts.length)
        .setState(state)
        .addAllTexts(List.of(texts))
        .setConfidences(ByteString.copyFrom(levels))
        .build();
  }

  static CanvasView view(Span... spans) {
    CanvasView view = new CanvasView();
    view.apply(keyframe(1, spans));
    return view;
  }

  static CanvasKeyframe keyframe(int frame, Span... spans) {
    return CanvasKeyframe.newBuilder().setFrame(frame).addAllSpans(List.of(spans)).build();
  }

  static CanvasDelta delta(int basis, int frame, Span... spans) {
    return CanvasDelta.newBuilder()
        .setBasisFrame(basis)
        .setFrame(frame)
        .addAllSpans(List.of(spans))
        .build();
  }
}
