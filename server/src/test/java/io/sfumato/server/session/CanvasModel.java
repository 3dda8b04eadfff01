package io.sfumato.server.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.sfumato.server.canvas.Canvas;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.canvas.PositionRange;
import io.sfumato.server.canvas.TokenState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a client may believe about its canvas: cells in a list, from which edits take some out and
 * put others in. A cell keeps its identity while it moves. Says of each control whether it applies,
 * and what stands on the canvas after it. Confined to one thread.
 */
final class CanvasModel {

  private static final int NONE = CanvasSnapshot.NO_TOKEN;

  /** One place of the text, wherever it stands. */
  private static final class Cell {
    int token = NONE;
    TokenState state = TokenState.UNDECIDED;
    float confidence;
  }

  /** The canvas as it was seen once. */
  record View(List<Object> cells, int committed) {}

  private final List<Cell> cells = new ArrayList<>();
  private final int length;

  CanvasModel(Canvas canvas) {
    length = canvas.length();
    for (int position = 0; position < length; position++) {
      cells.add(new Cell());
    }
    copy(canvas);
  }

  private void copy(Canvas canvas) {
    for (int position = 0; position < length; position++) {
      Cell cell = cells.get(position);
      cell.token = canvas.token(position);
      cell.state = canvas.state(position);
      cell.confidence = canvas.confidence(position);
    }
  }

  View view() {
    return new View(List.copyOf(cells), committed());
  }

  int committed() {
    return (int) cells.stream().filter(cell -> cell.state == TokenState.COMMITTED).count();
  }

  TokenState state(int position) {
    return cells.get(position).state;
  }

  /**
   * Takes the control over.
   *
   * @param seen what the control's positions are of; empty for the canvas as it is
   * @return whether it applies
   */
  boolean apply(Control.OnCanvas control, Optional<View> seen) {
    return switch (control) {
      case Control.PinSpans pin ->
          onCells(
              pin.ranges(),
              seen,
              cell -> cell.state == TokenState.PROVISIONAL || cell.state == TokenState.PINNED,
              CanvasModel::pin);
      case Control.UnpinSpans unpin ->
          onCells(
              unpin.ranges(),
              seen,
              cell -> cell.state == TokenState.PINNED,
              cell -> cell.state = TokenState.PROVISIONAL);
      case Control.BlankSpan blank ->
          onCells(
              List.of(blank.range()),
              seen,
              cell -> cell.state != TokenState.COMMITTED,
              cell -> {
                cell.token = NONE;
                cell.state = TokenState.UNDECIDED;
              });
      case Control.EditSpan edit -> edit(edit, seen);
      case Control.ReopenSpans reopen ->
          throw new IllegalArgumentException(reopen + " (expected: see reopen)");
    };
  }

  private static void pin(Cell cell) {
    cell.state = TokenState.PINNED;
    cell.confidence = 1;
  }

  private interface Test {
    boolean holds(Cell cell);
  }

  private interface Change {
    void make(Cell cell);
  }

  private boolean onCells(
      List<PositionRange> ranges, Optional<View> seen, Test test, Change change) {
    List<Cell> all = new ArrayList<>();
    for (PositionRange range : ranges) {
      Optional<Integer> start = find(range, seen);
      if (start.isEmpty()) {
        return false;
      }
      all.addAll(cells.subList(start.get(), start.get() + range.length()));
    }
    if (!all.stream().allMatch(test::holds)) {
      return false;
    }
    all.forEach(change::make);
    return true;
  }

  /** Where the range stands now, if all of its cells are still there, side by side. */
  private Optional<Integer> find(PositionRange range, Optional<View> seen) {
    if (seen.isEmpty()) {
      return Optional.of(range.start());
    }
    int start = indexOf(seen.get().cells().get(range.start()));
    for (int index = 0; index < range.length(); index++) {
      int now = indexOf(seen.get().cells().get(range.start() + index));
      if (now < 0 || now != start + index) {
        return Optional.empty();
      }
    }
    return Optional.of(start);
  }

  private int indexOf(Object cell) {
    for (int position = 0; position < length; position++) {
      if (cells.get(position) == cell) {
        return position;
      }
    }
    return -1;
  }

  private boolean edit(Control.EditSpan edit, Optional<View> seen) {
    Optional<Integer> start = find(edit.range(), seen);
    if (start.isEmpty()) {
      return false;
    }
    int end = start.get() + edit.range().length();
    if (cells.subList(start.get(), end).stream()
        .anyMatch(cell -> cell.state == TokenState.COMMITTED)) {
      return false;
    }
    List<Cell> edited = new ArrayList<>(cells.subList(0, start.get()));
    for (int token : edit.tokens()) {
      Cell cell = new Cell();
      cell.token = token;
      pin(cell);
      edited.add(cell);
    }
    edited.addAll(cells.subList(end, length));
    while (edited.size() < length) {
      edited.add(new Cell());
    }
    if (edited.subList(length, edited.size()).stream()
        .anyMatch(cell -> cell.state == TokenState.PINNED)) {
      return false;
    }
    if (start.get() + edit.tokens().length > length) {
      return false;
    }
    cells.clear();
    cells.addAll(edited.subList(0, length));
    return true;
  }

  /** Takes a reopening over: how many it opens is checked, which ones by their confidence. */
  boolean reopen(Control.ReopenSpans reopen, Canvas canvas) {
    for (PositionRange range : reopen.ranges()) {
      if (cells.subList(range.start(), range.end()).stream()
          .anyMatch(
              cell -> cell.state == TokenState.COMMITTED || cell.state == TokenState.PINNED)) {
        return false;
      }
    }
    for (PositionRange range : reopen.ranges()) {
      List<Cell> decided =
          cells.subList(range.start(), range.end()).stream()
              .filter(cell -> cell.state == TokenState.PROVISIONAL)
              .sorted((a, b) -> Float.compare(a.confidence, b.confidence))
              .toList();
      int opened = (int) Math.floor((double) reopen.noise() * decided.size() + 0.5);
      for (Cell cell : decided.subList(0, opened)) {
        cell.token = NONE;
        cell.state = TokenState.UNDECIDED;
      }
    }
    return true;
  }

  /** After controls: nothing stands on the canvas but what they did; blocks may be committed. */
  void checkSteered(Canvas canvas) {
    for (int position = 0; position < length; position++) {
      Cell cell = cells.get(position);
      boolean committed = canvas.state(position) == TokenState.COMMITTED;
      boolean dropped = canvas.isFinished() && position >= canvas.endLength();
      if (!dropped) {
        assertThat(canvas.token(position)).as("token at %s", position).isEqualTo(cell.token);
        assertThat(committed || canvas.state(position) == cell.state)
            .as("%s at %s", cell.state, position)
            .isTrue();
      }
    }
    follow(canvas);
  }

  /** After a step: pins and commitments stand, the others are the model's. */
  void checkStepped(Canvas canvas) {
    follow(canvas);
  }

  private void follow(Canvas canvas) {
    boolean committedBefore = true;
    for (int position = 0; position < length; position++) {
      Cell cell = cells.get(position);
      TokenState state = canvas.state(position);
      if (cell.state == TokenState.COMMITTED) {
        assertThat(state).isEqualTo(TokenState.COMMITTED);
        assertThat(canvas.token(position)).isEqualTo(cell.token);
      }
      if (cell.state == TokenState.PINNED) {
        assertThat(state).isIn(TokenState.PINNED, TokenState.COMMITTED);
        assertThat(canvas.token(position)).isEqualTo(cell.token);
      }
      if (state == TokenState.PINNED) {
        assertThat(cell.state).isEqualTo(TokenState.PINNED);
      }
      if (state == TokenState.COMMITTED) {
        assertThat(committedBefore).isTrue();
      }
      committedBefore = state == TokenState.COMMITTED;
    }
    copy(canvas);
  }
}
