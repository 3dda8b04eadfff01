package io.sfumato.server.app.terminal;

import com.google.protobuf.ByteString;
import io.sfumato.v1.CanvasDelta;
import io.sfumato.v1.CanvasKeyframe;
import io.sfumato.v1.PositionAlternatives;
import io.sfumato.v1.Span;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenAlternative;
import io.sfumato.v1.TokenState;
import java.util.Arrays;
import java.util.List;

/**
 * A canvas as a client sees it: keyframes replace it, deltas change it. Confined to one thread at a
 * time.
 *
 * <p>Everything it knows comes from the contract's events.
 */
public final class CanvasView {

  /** Confidence of positions for which the server tells none. */
  private static final int SURE = 255;

  private static final int MOST_POSITIONS = 1 << 20;

  private TokenState[] states = {};
  private String[] texts = {};
  private int[] confidences = {};
  private boolean[] clients = {}; // [positions], pinned and not reopened since
  private PositionAlternatives[] alternatives = {};
  private int frame;

  /**
   * What to ask a server for, to see every canvas.
   *
   * @param alternatives most per position
   */
  public static StreamSpec stream(int alternatives) {
    return StreamSpec.newBuilder()
        .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
        .setIncludeConfidences(true)
        .setIncludeTokenIds(true)
        .setIncludeRevisedTokens(true)
        .setMaxAlternatives(alternatives)
        .build();
  }

  /**
   * Takes over a whole canvas.
   *
   * @throws IllegalStateException when it is longer than any canvas
   */
  public void apply(CanvasKeyframe keyframe) {
    long end = 0;
    for (Span span : keyframe.getSpansList()) {
      end = Math.max(end, (long) span.getStart() + span.getLength());
    }
    if (end > MOST_POSITIONS) {
      throw new IllegalStateException(
          "canvas: " + end + " positions (expected: at most " + MOST_POSITIONS + ")");
    }
    int length = (int) end;
    states = new TokenState[length];
    texts = new String[length];
    confidences = new int[length];
    alternatives = new PositionAlternatives[length];
    clients = Arrays.copyOf(clients, length);
    Arrays.fill(states, TokenState.TOKEN_STATE_UNDECIDED);
    Arrays.fill(texts, "");
    put(keyframe.getSpansList());
    frame = keyframe.getFrame();
  }

  /**
   * Takes over what has changed.
   *
   * @throws IllegalStateException when the change is not one of the canvas shown
   */
  public void apply(CanvasDelta delta) {
    if (delta.getBasisFrame() != frame) {
      throw new IllegalStateException(
          "basis_frame: " + delta.getBasisFrame() + " (expected: " + frame + ")");
    }
    put(delta.getSpansList());
    frame = delta.getFrame();
  }

  private void put(List<Span> spans) {
    for (Span span : spans) {
      if (span.getStart() < 0
          || span.getLength() < 1
          || span.getLength() > states.length - span.getStart()) {
        throw new IllegalStateException(
            "span: "
                + span.getStart()
                + " + "
                + span.getLength()
                + " (expected: within "
                + states.length
                + ")");
      }
      ByteString levels = span.getConfidences();
      for (int index = 0; index < span.getLength(); index++) {
        int position = span.getStart() + index;
        states[position] = span.getState();
        clients[position] =
            span.getState() == TokenState.TOKEN_STATE_PINNED
                || clients[position] && span.getState() == TokenState.TOKEN_STATE_COMMITTED;
        texts[position] =
            index < span.getTextsCount() ? span.getTexts(index) : tokenText(span, index);
        confidences[position] = index < levels.size() ? levels.byteAt(index) & 0xFF : SURE;
        alternatives[position] = null;
      }
      for (PositionAlternatives each : span.getAlternativesList()) {
        if (each.getPosition() >= span.getStart()
            && each.getPosition() - span.getStart() < span.getLength()) {
          alternatives[each.getPosition()] = each;
        }
      }
    }
  }

  /** Models without a tokenizer have numbers for texts. */
  private static String tokenText(Span span, int index) {
    return index < span.getTokenIdsCount() ? " " + span.getTokenIds(index) : "";
  }

  /** Number of positions. */
  public int length() {
    return states.length;
  }

  /** Number of the frame shown; 0 before the first. */
  public int frame() {
    return frame;
  }

  public TokenState state(int position) {
    return states[position];
  }

  public String text(int position) {
    return texts[position];
  }

  /** Whether the position holds the client's own token, committed or not. */
  public boolean isClients(int position) {
    return clients[position];
  }

  /** 0..255. */
  public int confidence(int position) {
    return confidences[position];
  }

  /** What the model held probable at a position, if the server was asked and has told. */
  public List<TokenAlternative> alternatives(int position) {
    PositionAlternatives all = position < alternatives.length ? alternatives[position] : null;
    return all == null ? List.of() : all.getAlternativesList();
  }

  /** Positions in the given state. */
  public int count(TokenState state) {
    int count = 0;
    for (TokenState each : states) {
      if (each == state) {
        count++;
      }
    }
    return count;
  }

  /** The text that stands on the canvas, undecided positions left out. */
  public String text() {
    return String.join("", texts);
  }

  /** Forgets what stands behind the end of the text. */
  public void cut(int length) {
    int kept = Math.min(length, states.length);
    states = Arrays.copyOf(states, kept);
    texts = Arrays.copyOf(texts, kept);
    confidences = Arrays.copyOf(confidences, kept);
    alternatives = Arrays.copyOf(alternatives, kept);
    clients = Arrays.copyOf(clients, kept);
  }

  /** A view that later events do not change. */
  public CanvasView copy() {
    CanvasView copy = new CanvasView();
    copy.states = states.clone();
    copy.texts = texts.clone();
    copy.confidences = confidences.clone();
    copy.alternatives = alternatives.clone();
    copy.clients = clients.clone();
    copy.frame = frame;
    return copy;
  }
}
