package io.sfumato.server.app.terminal;

import io.sfumato.v1.TokenState;
import java.util.ArrayList;
import java.util.List;
import org.jline.utils.WCWidth;

/** Flows a canvas into lines of a given width, breaking at spaces. Stateless and thread-safe. */
final class CanvasLayout {

  /** Text in one look, selected or not. */
  record Piece(String text, Look look, boolean selected) {}

  private static final String PLACEHOLDER = " ░░░░";
  private static final String NO_TEXT = "·"; // where something without text is selected

  private record Glyph(int codePoint, Look look, boolean selected) {
    boolean isSpace() {
      return codePoint == ' ';
    }

    int width() {
      return Math.max(0, WCWidth.wcwidth(codePoint));
    }
  }

  private CanvasLayout() {}

  /**
   * @param width columns, at least 8
   */
  static List<List<Piece>> lines(CanvasView view, Selection selection, int width) {
    List<List<Piece>> lines = new ArrayList<>();
    List<Glyph> line = new ArrayList<>();
    for (Glyph glyph : glyphs(view, selection)) {
      if (glyph.codePoint() == '\n') {
        lines.add(pieces(line));
        line.clear();
        continue;
      }
      line.add(glyph);
      if (width(line) > Math.max(8, width)) {
        List<Glyph> rest = split(line);
        lines.add(pieces(line));
        line = rest;
      }
    }
    if (!line.isEmpty()) {
      lines.add(pieces(line));
    }
    return lines;
  }

  private static List<Glyph> glyphs(CanvasView view, Selection selection) {
    List<Glyph> glyphs = new ArrayList<>();
    for (int position = 0; position < view.length(); position++) {
      TokenState state = view.state(position);
      Look look =
          view.isClients(position) ? Look.PINNED : Look.of(state, view.confidence(position));
      boolean selected = selection.contains(position);
      String text = look == Look.UNDECIDED ? PLACEHOLDER : view.text(position);
      if (selected && text.replace("\n", "").isEmpty()) {
        text = NO_TEXT + text;
      }
      text.codePoints().forEach(codePoint -> add(glyphs, codePoint, look, selected));
    }
    return glyphs;
  }

  /**
   * Control characters would drive the terminal; line feeds are the only ones that mean something
   * on a canvas.
   */
  private static void add(List<Glyph> glyphs, int codePoint, Look look, boolean selected) {
    if (codePoint == '\t') {
      glyphs.add(new Glyph(' ', look, selected));
      glyphs.add(new Glyph(' ', look, selected));
    } else if (codePoint == '\n'
        || !Character.isISOControl(codePoint) && Character.getType(codePoint) != Character.FORMAT) {
      glyphs.add(new Glyph(codePoint, look, selected));
    }
  }

  private static int width(List<Glyph> line) {
    int width = 0;
    for (Glyph glyph : line) {
      width += glyph.width();
    }
    return width;
  }

  /**
   * Cuts the line at its last space, or before its last glyph if it has none, and returns what goes
   * on the next line.
   */
  private static List<Glyph> split(List<Glyph> line) {
    int cut = line.size() - 1;
    int next = cut;
    for (int index = line.size() - 1; index > 0; index--) {
      if (line.get(index).isSpace()) {
        cut = index;
        next = index + 1;
        break;
      }
    }
    List<Glyph> rest = new ArrayList<>(line.subList(next, line.size()));
    line.subList(cut, line.size()).clear();
    return rest;
  }

  private static List<Piece> pieces(List<Glyph> line) {
    List<Piece> pieces = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    Glyph last = null;
    for (Glyph glyph : line) {
      if (last == null && glyph.isSpace()) {
        continue;
      }
      if (last != null && (last.look() != glyph.look() || last.selected() != glyph.selected())) {
        pieces.add(new Piece(text.toString(), last.look(), last.selected()));
        text.setLength(0);
      }
      last = glyph;
      text.appendCodePoint(glyph.codePoint());
    }
    if (last != null) {
      pieces.add(new Piece(text.toString(), last.look(), last.selected()));
    }
    return pieces;
  }
}
