package io.sfumato.server.app.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jline.utils.AttributedString;

/**
 * A picture of a run: some of its frames, one below the other. Confined to one thread at a time.
 */
public final class SvgPicture {

  /**
   * One frame.
   *
   * @param view as it was then
   * @param steps denoising steps that were done
   */
  public record Frame(CanvasView view, int steps) {}

  private static final int COLUMNS = 96;
  private static final double CHARACTER = 8.43; // advance of a 14 px monospaced face
  private static final int LINE = 20;
  private static final int LABEL = 84;
  private static final int PADDING = 28;
  private static final int GAP = 26;
  private static final int EMPTY_LINES = 2;

  private final List<Frame> frames = new ArrayList<>();

  /** Adds a frame of the run. */
  public void add(CanvasView view, int steps) {
    frames.add(new Frame(view.copy(), steps));
  }

  /**
   * Draws the first and the last frame, and others between them at even distances.
   *
   * @param count frames to draw, at least 2
   */
  public String draw(int count) {
    StringBuilder body = new StringBuilder();
    int y = PADDING;
    for (Frame frame : chosen(count)) {
      body.append(text(PADDING, y + 14, "#8a8a8a", "step " + frame.steps()));
      for (List<CanvasLayout.Piece> line : lines(frame.view())) {
        body.append(line(line, y + 14));
        y += LINE;
      }
      y += GAP;
    }
    int width = (int) Math.ceil(2 * PADDING + LABEL + COLUMNS * CHARACTER);
    int height = y - GAP + PADDING;
    return """
    <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"
         font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">
    <rect width="100%%" height="100%%" rx="12" fill="#17171c"/>
    %s</svg>
    """
        .formatted(width, height, width, height, body);
  }

  private List<Frame> chosen(int count) {
    List<Frame> chosen = new ArrayList<>();
    int last = frames.size() - 1;
    int before = -1;
    for (int index = 0; index < count && last >= 0; index++) {
      int next = (int) Math.round((double) index * last / (count - 1));
      if (next != before) {
        chosen.add(frames.get(next));
      }
      before = next;
    }
    return chosen;
  }

  /** Lines up to the last one with text, and a few of those that are still empty. */
  private static List<List<CanvasLayout.Piece>> lines(CanvasView view) {
    List<List<CanvasLayout.Piece>> lines = CanvasLayout.lines(view, Selection.NONE, COLUMNS);
    int last = 0;
    for (int index = 0; index < lines.size(); index++) {
      if (lines.get(index).stream().anyMatch(piece -> piece.look() != Look.UNDECIDED)) {
        last = index;
      }
    }
    return lines.subList(0, Math.min(lines.size(), last + 1 + EMPTY_LINES));
  }

  private static String line(List<CanvasLayout.Piece> pieces, int y) {
    StringBuilder line = new StringBuilder();
    int column = 0;
    for (CanvasLayout.Piece piece : pieces) {
      int width = new AttributedString(piece.text()).columnLength();
      if (piece.look() == Look.UNDECIDED) {
        blocks(line, piece.text(), column, y);
      } else {
        String decoration = piece.look() == Look.PINNED ? " text-decoration=\"underline\"" : "";
        line.append(
            String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%d\" fill=\"%s\"%s xml:space=\"preserve\""
                    + " textLength=\"%.1f\">%s</text>\n",
                x(column),
                y,
                piece.look().colour(),
                decoration,
                width * CHARACTER,
                escaped(piece.text())));
      }
      column += width;
    }
    return line.toString();
  }

  /** One block for each token that is not decided yet. */
  private static void blocks(StringBuilder line, String text, int column, int y) {
    int start = -1;
    for (int index = 0; index <= text.length(); index++) {
      boolean space = index == text.length() || text.charAt(index) == ' ';
      if (!space && start < 0) {
        start = index;
      } else if (space && start >= 0) {
        line.append(
            String.format(
                Locale.ROOT,
                "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"13\" rx=\"3\""
                    + " fill=\"#2a2a33\"/>\n",
                x(column + start),
                y - 11,
                (index - start) * CHARACTER));
        start = -1;
      }
    }
  }

  private static double x(int column) {
    return PADDING + LABEL + column * CHARACTER;
  }

  private static String text(int x, int y, String colour, String text) {
    return String.format(
        Locale.ROOT,
        "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>\n",
        x,
        y,
        colour,
        escaped(text));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
