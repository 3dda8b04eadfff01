package io.sfumato.server.app.terminal;

import io.sfumato.v1.TokenState;
import java.util.ArrayList;
import java.util.List;
import org.jline.utils.WCWidth;

/** Flows a canvas into lines of a given width, breaking at spaces. Stateless and thread-safe. */
final class CanvasLayout {

  /** Text in one look. */
  record Piece(String text, Look look) {}

  private static final String PLACEHOLDER = " ░░░░";

  private record Glyph(int codePoint, Look look) {
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
  static List<List<Piece>> lines(CanvasView view, int width) {
    List<List<Piece>> lines = new ArrayList<>();
    List<Glyph> line = new ArrayList<>();
    for (Glyph glyph : glyphs(view)) {
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

  private static List<Glyph> glyphs(CanvasView view) {
    List<Glyph> glyphs = new ArrayList<>();
    for (int position = 0; position < view.length(); position++) {
      TokenState state = view.state(position);
      Look look =
          view.isClients(position) ? Look.PINNED : Look.of(state, view.confidence(position));
      String text = look == Look.UNDECIDED ? PLACEHOLDER : view.text(position);
      text.codePoints().forEach(codePoint -> add(glyphs, codePoint, look));
    }
    return glyphs;
  }

  /**
   * Control characters would drive the terminal; line feeds are the only ones that mean something
   * on a canvas.
   */
  private static void add(List<Glyph> glyphs, int codePoint, Look look) {
    if (codePoint == '\t') {
      glyphs.add(new Glyph(' ', look));
      glyphs.add(new Glyph(' ', look));
    } else if (codePoint == '\n'
        || !Character.isISOControl(codePoint) && Character.getType(codePoint) != Character.FORMAT) {
      glyphs.add(new Glyph(codePoint, look));
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
    Look look = null;
    boolean begun = false;
    for (Glyph glyph : line) {
      if (!begun && glyph.isSpace()) {
        continue;
      }
      begun = true;
      if (look != glyph.look() && !text.isEmpty()) {
        pieces.add(new Piece(text.toString(), look));
        text.setLength(0);
      }
      look = glyph.look();
      text.appendCodePoint(glyph.codePoint());
    }
    if (!text.isEmpty()) {
      pieces.add(new Piece(text.toString(), look));
    }
    return pieces;
  }
}
