package io.sfumato.server.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.canvas.Alternatives;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.v1.BlockCommitted;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.PositionAlternatives;
import io.sfumato.v1.Span;
import io.sfumato.v1.TokenAlternative;
import io.sfumato.v1.TokenState;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a client holds that follows the contract, and what it may rely on. Confined to one thread at
 * a time.
 */
final class CanvasReplica {

  static final int NO_TOKEN = -1;

  TokenState[] states = {};
  String[] texts = {};
  int[] tokens = {};
  int[] confidences = {};
  String[] alternatives = {}; // the messages of each position, printed
  final StringBuilder committed = new StringBuilder();
  int frames;
  int keyframes;
  Finished finished;

  private long sequence;
  private int step;
  private int frame;
  private int committedPositions;
  private int block = -1;
  private int length;

  /** Takes one event, and checks what must hold for it. */
  void take(Event event) {
    assertThat(event.getSequence()).isEqualTo(++sequence);
    assertThat(event.getStep()).isGreaterThanOrEqualTo(step);
    assertThat(finished).as("after Finished").isNull();
    assertThat(event.hasAccepted()).isEqualTo(sequence == 1);
    step = event.getStep();
    switch (event.getKindCase()) {
      case ACCEPTED -> length = event.getAccepted().getCanvas().getMaxLengthTokens();
      case CANVAS_KEYFRAME -> {
        keyframes++;
        reset(event.getCanvasKeyframe().getSpansList());
        newFrame(event.getCanvasKeyframe().getFrame());
      }
      case CANVAS_DELTA -> {
        assertThat(event.getCanvasDelta().getBasisFrame()).isEqualTo(frame);
        assertThat(event.getCanvasDelta().getSpansCount()).isPositive();
        apply(event.getCanvasDelta().getSpansList());
        newFrame(event.getCanvasDelta().getFrame());
      }
      case BLOCK_COMMITTED -> commit(event.getBlockCommitted());
      case FINISHED -> finish(event.getFinished());
      case PROGRESS, CONTROL_APPLIED, CONTROL_REJECTED -> {}
      case WARNING, GO_AWAY, KIND_NOT_SET -> throw new AssertionError(event);
    }
  }

  /** The text that a person sees now. */
  String text() {
    return String.join("", texts);
  }

  private void newFrame(int newFrame) {
    assertThat(newFrame).isEqualTo(frame + 1);
    frame = newFrame;
    frames++;
  }

  private void reset(List<Span> spans) {
    TokenState[] before = states;
    int[] tokensBefore = tokens;
    states = new TokenState[length];
    texts = new String[length];
    tokens = new int[length];
    confidences = new int[length];
    alternatives = new String[length];
    int next = 0;
    for (Span span : spans) {
      assertThat(span.getStart()).as("no gaps, no overlaps").isEqualTo(next);
      next += span.getLength();
    }
    assertThat(next).isEqualTo(length);
    if (before.length > 0) {
      states = before.clone();
      tokens = tokensBefore.clone();
    }
    apply(spans);
  }

  private void apply(List<Span> spans) {
    int next = 0;
    for (Span span : spans) {
      assertThat(span.getStart()).isGreaterThanOrEqualTo(next);
      assertThat(span.getLength()).isPositive();
      next = span.getStart() + span.getLength();
      assertThat(next).isLessThanOrEqualTo(length);
      boolean undecided = span.getState() == TokenState.TOKEN_STATE_UNDECIDED;
      assertThat(span.getTokenIdsCount()).isIn(0, undecided ? 0 : span.getLength());
      assertThat(span.getTextsCount()).isIn(0, undecided ? 0 : span.getLength());
      for (int index = 0; index < span.getLength(); index++) {
        put(span, span.getStart() + index, index);
      }
      for (PositionAlternatives each : span.getAlternativesList()) {
        assertThat(each.getPosition()).isBetween(span.getStart(), next - 1);
        alternatives[each.getPosition()] = each.getAlternativesList().toString();
      }
    }
  }

  private void put(Span span, int position, int index) {
    int token = span.getTokenIdsCount() > 0 ? span.getTokenIds(index) : NO_TOKEN;
    if (states[position] == TokenState.TOKEN_STATE_COMMITTED) {
      assertThat(span.getState())
          .as("committed stays committed")
          .isEqualTo(TokenState.TOKEN_STATE_COMMITTED);
      if (token != NO_TOKEN && tokens[position] != NO_TOKEN) {
        assertThat(token).as("committed token at %s", position).isEqualTo(tokens[position]);
      }
    }
    if (states[position] == TokenState.TOKEN_STATE_PINNED) {
      assertThat(span.getState())
          .isIn(TokenState.TOKEN_STATE_PINNED, TokenState.TOKEN_STATE_COMMITTED);
    }
    states[position] = span.getState();
    tokens[position] = token;
    texts[position] = span.getTextsCount() > 0 ? span.getTexts(index) : "";
    confidences[position] =
        span.getConfidences().isEmpty() ? NO_TOKEN : span.getConfidences().byteAt(index) & 0xff;
    alternatives[position] = List.of().toString();
  }

  private void commit(BlockCommitted event) {
    if (event.hasSpan()) {
      assertThat(event.getBlock()).isEqualTo(++block);
      assertThat(event.getSpan().getStart()).isEqualTo(committedPositions);
      assertThat(event.getSpan().getState()).isEqualTo(TokenState.TOKEN_STATE_COMMITTED);
      committedPositions += event.getSpan().getLength();
    }
    assertThat(isUnicode(event.getText())).isTrue();
    committed.append(event.getText());
  }

  private void finish(Finished event) {
    finished = event;
    assertThat(isUnicode(event.getText())).isTrue();
    assertThat(event.getUsage().getCommittedTokens()).isLessThanOrEqualTo(length);
  }

  private static boolean isUnicode(String text) {
    return UTF_8.newEncoder().canEncode(text);
  }

  /**
   * Whether this is what a client should hold of a canvas: compared by a reference that knows
   * nothing of frames.
   */
  boolean shows(CanvasSnapshot canvas, StreamSettings stream) {
    int start = 0;
    while (start < length) {
      int end = start;
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      while (end < length && canvas.state(end) == canvas.state(start)) {
        boolean undecided = canvas.state(end) == io.sfumato.server.canvas.TokenState.UNDECIDED;
        boolean confident =
            !undecided
                && canvas.state(end) != io.sfumato.server.canvas.TokenState.PINNED
                && stream.confidences();
        int confidence = confident ? Math.round(canvas.confidence(end) * 255) : NO_TOKEN;
        if (!states[end].name().equals("TOKEN_STATE_" + canvas.state(end))
            || tokens[end] != (undecided || !stream.tokenIds() ? NO_TOKEN : canvas.token(end))
            || confidences[end] != confidence
            || !alternatives[end].equals(
                alternatives(canvas.alternatives(end), stream.alternatives()))) {
          return false;
        }
        if (!undecided && canvas.token(end) < 256) {
          bytes.write(canvas.token(end));
        }
        end++;
      }
      if (!String.join("", Arrays.copyOfRange(texts, start, end)).equals(bytes.toString(UTF_8))) {
        return false;
      }
      start = end;
    }
    return true;
  }

  private static String alternatives(Alternatives all, int most) {
    List<TokenAlternative> messages = new ArrayList<>();
    for (int rank = 0; rank < Math.min(most, all.count()); rank++) {
      byte[] text = {(byte) all.token(rank)};
      messages.add(
          TokenAlternative.newBuilder()
              .setTokenId(all.token(rank))
              .setText(all.token(rank) < 256 ? new String(text, UTF_8) : "")
              .setProbability(all.probability(rank))
              .build());
    }
    return messages.toString();
  }
}
