package io.sfumato.server.rpc;

import com.google.protobuf.ByteString;
import io.sfumato.server.canvas.Alternatives;
import io.sfumato.server.canvas.CanvasDiff;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasSpan;
import io.sfumato.server.canvas.TokenState;
import io.sfumato.server.text.CanvasText;
import io.sfumato.v1.CanvasDelta;
import io.sfumato.v1.CanvasKeyframe;
import io.sfumato.v1.Event;
import io.sfumato.v1.PositionAlternatives;
import io.sfumato.v1.RevisedToken;
import io.sfumato.v1.Span;
import java.util.ArrayList;
import java.util.Arrays;
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
    List<CanvasSpan> changes =
        keyframe ? CanvasDiff.all(snapshot) : changes(snapshot, texts, settings);
    if (changes.isEmpty()) {
      return false;
    }
    List<Span> spans = new ArrayList<>(changes.size());
    for (CanvasSpan change : changes) {
      spans.add(span(snapshot, texts, change, settings));
    }
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

  private List<CanvasSpan> changes(
      CanvasSnapshot snapshot, String[] texts, StreamSettings settings) {
    return CanvasDiff.between(
        shown,
        snapshot,
        settings.confidences(),
        position ->
            !texts[position].equals(shownTexts[position])
                || (settings.alternatives() > 0
                    && !snapshot.alternatives(position).equals(shown.alternatives(position))));
  }

  private String[] texts(CanvasSnapshot snapshot) {
    String[] texts = new String[snapshot.length()];
    Arrays.fill(texts, "");
    if (canvasText.isPresent()) {
      int[] tokens = snapshot.tokens();
      for (CanvasSpan run : CanvasDiff.all(snapshot)) {
        if (run.state() != TokenState.UNDECIDED) {
          canvasText.get().write(tokens, run.start(), run.end(), texts);
        }
      }
    }
    return texts;
  }

  private Span span(
      CanvasSnapshot snapshot, String[] texts, CanvasSpan change, StreamSettings settings) {
    Span.Builder span =
        Span.newBuilder()
            .setStart(change.start())
            .setLength(change.length())
            .setState(ProtoMapper.state(change.state()));
    addAlternatives(snapshot, change, settings.alternatives(), span);
    if (change.state() == TokenState.UNDECIDED) {
      return span.build();
    }
    boolean confidences = settings.confidences() && change.state() != TokenState.PINNED;
    byte[] levels = new byte[confidences ? change.length() : 0];
    for (int position = change.start(); position < change.end(); position++) {
      if (canvasText.isPresent()) {
        span.addTexts(texts[position]);
      }
      if (settings.tokenIds()) {
        span.addTokenIds(snapshot.token(position));
      }
      if (confidences) {
        levels[position - change.start()] =
            (byte) CanvasDiff.confidenceLevel(snapshot.confidence(position));
      }
    }
    return span.setConfidences(ByteString.copyFrom(levels)).build();
  }

  private void addAlternatives(
      CanvasSnapshot snapshot, CanvasSpan change, int most, Span.Builder span) {
    for (int position = change.start(); most > 0 && position < change.end(); position++) {
      Alternatives alternatives = snapshot.alternatives(position);
      int count = Math.min(most, alternatives.count());
      if (count > 0) {
        PositionAlternatives.Builder message = span.addAlternativesBuilder().setPosition(position);
        for (int rank = 0; rank < count; rank++) {
          message
              .addAlternativesBuilder()
              .setTokenId(alternatives.token(rank))
              .setText(text(alternatives.token(rank)))
              .setProbability(alternatives.probability(rank));
        }
      }
    }
  }

  /** A token that was replaced, with its texts. */
  RevisedToken revisedToken(io.sfumato.server.canvas.RevisedToken revised) {
    return RevisedToken.newBuilder()
        .setPosition(revised.position())
        .setFirstTokenId(revised.firstToken())
        .setFirstText(text(revised.firstToken()))
        .setTokenId(revised.token())
        .setText(text(revised.token()))
        .setStep(revised.step())
        .setReplacements(revised.replacements())
        .build();
  }

  private String text(int token) {
    return canvasText.map(texts -> texts.write(token)).orElse("");
  }
}
