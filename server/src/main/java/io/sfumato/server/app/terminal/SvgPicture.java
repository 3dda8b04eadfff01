package io.sfumato.server.app.terminal;

import java.util.ArrayList;
import java.util.List;
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
      List<List<CanvasLayout.Piece>> lines = CanvasLayout.lines(frame.view(), COLUMNS);
      for (List<CanvasLayout.Piece> line : lines) {
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
    for (int index = 0; index < count && last >= 0; index++) {
      Frame frame = frames.get((int) Math.round((double) index * last / (count - 1)));
      if (chosen.isEmpty() || chosen.getLast() != frame) {
        chosen.add(frame);
      }
    }
    return chosen;
  }

  private static String line(List<CanvasLayout.Piece> pieces, int y) {
    StringBuilder line = new StringBuilder();
    int column = 0;
    for (CanvasLayout.Piece piece : pieces) {
      double x = PADDING + LABEL + column * CHARACTER;
      int width = AttributedString.fromAnsi(piece.text()).columnLength();
      String decoration = piece.look() == Look.PINNED ? " text-decoration=\"underline\"" : "";
      line.append(
          "<text x=\"%.1f\" y=\"%d\" fill=\"%s\"%s xml:space=\"preserve\" textLength=\"%.1f\">%s</text>%n"
              .formatted(
                  x,
                  y,
                  piece.look().colour(),
                  decoration,
                  width * CHARACTER,
                  escaped(piece.text())));
      column += width;
    }
    return line.toString();
  }

  private static String text(int x, int y, String colour, String text) {
    return "<text x=\"%d\" y=\"%d\" fill=\"%s\">%s</text>%n".formatted(x, y, colour, escaped(text));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
