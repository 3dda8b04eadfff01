package io.sfumato.server.rpc;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.model.ServedModel;
import io.sfumato.v1.Segment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The text that a refinement starts from, as tokens by position. Confined to one call. */
final class Draft {

  private static final int MOST_SEGMENTS = 1024;

  private final ServedModel model;
  private final Problems problems;
  private final List<CanvasStart.NoisySpan> reopened = new ArrayList<>();
  private int[] tokens = {};
  private boolean[] pinned = {};
  private boolean editable;
  private String partialPath; // of the first segment of which a part is rewritten; null for none

  private Draft(ServedModel model, Problems problems) {
    this.model = model;
    this.problems = problems;
  }

  /**
   * @param path of the segments in their request
   */
  static Draft read(List<Segment> segments, String path, ServedModel model, Problems problems) {
    Draft draft = new Draft(model, problems);
    Ranges.count(problems, path, segments.size(), "segments", 1, MOST_SEGMENTS);
    for (int index = 0; index < segments.size() && index < MOST_SEGMENTS; index++) {
      draft.add(segments.get(index), path + "[" + index + "]");
    }
    return draft;
  }

  /** Where the model sees one block at a time, it can compare the tokens of one block only. */
  void checkNoise(int canvasLength, int blockLength) {
    if (partialPath != null && model.defaults().encodesContext() && canvasLength > blockLength) {
      problems.capability(
          partialPath + ".noise",
          "a part of the segment",
          "0 or 1 with a canvas of more than one block, " + blockLength + " tokens");
    }
  }

  /** Number of tokens. */
  int length() {
    return tokens.length;
  }

  /** Whether there is anything for the model to decide on a canvas of the given length. */
  boolean isEditable(int canvasLength) {
    return editable || canvasLength > tokens.length;
  }

  /** A canvas that begins with the draft and ends in undecided positions. */
  CanvasStart start(int canvasLength) {
    int[] all = Arrays.copyOf(tokens, canvasLength);
    Arrays.fill(all, tokens.length, canvasLength, CanvasSnapshot.NO_TOKEN);
    return new CanvasStart(all, Arrays.copyOf(pinned, canvasLength), reopened);
  }

  private void add(Segment segment, String path) {
    boolean locked = segment.getMode() == Segment.Mode.MODE_LOCKED;
    if (segment.getMode() == Segment.Mode.UNRECOGNIZED) {
      problems.invalid(path + ".mode", segment.getModeValue(), "a value of Segment.Mode");
    }
    if (segment.hasNoise()) {
      Ranges.number(problems, path + ".noise", segment.getNoise(), 0, 1);
      if (locked) {
        problems.invalid(path + ".noise", segment.getNoise(), "absent with MODE_LOCKED");
      } else if (segment.getNoise() < 1 && model.defaults().isUniform()) {
        problems.capability(path + ".noise", segment.getNoise(), "1 with a model of uniform noise");
      } else if (segment.getNoise() > 0 && segment.getNoise() < 1 && partialPath == null) {
        partialPath = path;
      }
    }
    switch (segment.getContentCase()) {
      case TEXT ->
          append(
              PromptReader.encode(segment.getText(), path + ".text", model, problems),
              locked,
              segment);
      case TOKEN_IDS ->
          append(
              PromptReader.tokens(segment.getTokenIds(), path + ".token_ids", model, problems),
              locked,
              segment);
      case BLANK_TOKENS -> addBlank(segment, path, locked);
      case CONTENT_NOT_SET -> problems.invalid(path, "absent", "text, token_ids or blank_tokens");
    }
  }

  private void addBlank(Segment segment, String path, boolean locked) {
    if (locked) {
      problems.invalid(path + ".blank_tokens", segment.getBlankTokens(), "absent with MODE_LOCKED");
    }
    if (segment.hasNoise()) {
      problems.invalid(path + ".noise", segment.getNoise(), "absent with blank_tokens");
    }
    int room = model.engine().maxPositions() - tokens.length;
    int count =
        Ranges.integer(
            problems, path + ".blank_tokens", segment.getBlankTokens(), 1, Math.max(1, room));
    int[] blank = new int[count];
    Arrays.fill(blank, CanvasSnapshot.NO_TOKEN);
    grow(blank, false);
    editable = true;
  }

  private void append(int[] added, boolean locked, Segment segment) {
    if (!locked && added.length > 0) {
      editable = true;
      float noise = segment.hasNoise() ? segment.getNoise() : 1;
      if (noise > 0) {
        reopened.add(new CanvasStart.NoisySpan(tokens.length, added.length, noise));
      }
    }
    grow(added, locked);
  }

  private void grow(int[] added, boolean locked) {
    int start = tokens.length;
    tokens = Arrays.copyOf(tokens, start + added.length);
    System.arraycopy(added, 0, tokens, start, added.length);
    pinned = Arrays.copyOf(pinned, tokens.length);
    Arrays.fill(pinned, start, tokens.length, locked);
  }
}
