package io.sfumato.server.app.terminal;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.jline.terminal.Terminal;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/**
 * Draws a run in a terminal, in place: only lines that changed are written, all of a frame at once.
 * Where keys steer the run, it shows the selection and, below the canvas, what the keys do.
 * Confined to one thread at a time.
 */
public final class TerminalDisplay implements RunDisplay {

  private static final AttributedStyle DIM = AttributedStyle.DEFAULT.foreground(244);
  private static final AttributedStyle TITLE = AttributedStyle.BOLD.foreground(222);
  private static final AttributedStyle BAR = AttributedStyle.DEFAULT.foreground(173);
  private static final AttributedStyle BAR_REST = AttributedStyle.DEFAULT.foreground(238);
  private static final int MARGIN = 2;
  private static final int MOST_COLUMNS = 100;
  private static final int FIXED_LINES =
      6; // title, subtitle, two blank ones, progress, and the cursor's
  private static final String BEGIN_FRAME =
      "\u001b[?2026h\u001b[?25l"; // synchronized output, no cursor
  private static final String END_FRAME = "\u001b[?25h\u001b[?2026l";

  private final Terminal terminal;
  private final PrintWriter writer;
  private final Optional<KeyControls> controls;
  private List<String> shown = List.of();
  private int shownColumns;

  public TerminalDisplay(Terminal terminal, Optional<KeyControls> controls) {
    this.terminal = terminal;
    this.controls = controls;
    writer = terminal.writer();
  }

  @Override
  public void show(CanvasView view, RunProgress progress) {
    int columns = columns();
    List<String> lines = new ArrayList<>();
    for (AttributedString line : lines(view, progress, columns)) {
      lines.add(line.toAnsi(terminal));
    }
    StringBuilder frame = new StringBuilder(BEGIN_FRAME);
    if (columns != shownColumns) {
      shown = List.of(); // what stands there was wrapped anew by the terminal: begin below it
    }
    if (!shown.isEmpty()) {
      frame.append("\u001b[").append(shown.size()).append("A\r");
    }
    for (int index = 0; index < lines.size(); index++) {
      if (index >= shown.size() || !shown.get(index).equals(lines.get(index))) {
        frame.append('\r').append(lines.get(index)).append("\u001b[K");
      }
      frame.append("\r\n");
    }
    if (shown.size() > lines.size()) {
      frame.append("\u001b[J");
    }
    writer.write(frame.append(END_FRAME).toString());
    writer.flush();
    shown = lines;
    shownColumns = columns;
  }

  private int columns() {
    int width = terminal.getSize().getColumns() > 0 ? terminal.getSize().getColumns() : 80;
    return Math.min(MOST_COLUMNS, width - 1);
  }

  private List<AttributedString> lines(CanvasView view, RunProgress progress, int columns) {
    List<AttributedString> lines = new ArrayList<>();
    List<String> footer = controls.map(keys -> keys.footer(view)).orElse(List.of());
    lines.add(line(TITLE, progress.title(), columns));
    lines.add(line(DIM, progress.subtitle(), columns));
    lines.add(AttributedString.EMPTY);
    lines.addAll(canvas(view, footer.size(), columns));
    lines.add(AttributedString.EMPTY);
    lines.add(progressLine(progress, columns));
    for (String text : footer) {
      lines.add(line(DIM, text, columns));
    }
    return lines;
  }

  private static AttributedString line(AttributedStyle style, String text, int columns) {
    return margin().styled(style, text).toAttributedString().columnSubSequence(0, columns);
  }

  private List<AttributedString> canvas(CanvasView view, int footerLines, int columns) {
    Selection selection = controls.map(KeyControls::selection).orElse(Selection.NONE);
    List<List<CanvasLayout.Piece>> all = CanvasLayout.lines(view, selection, columns - 2 * MARGIN);
    int height = terminal.getSize().getRows() > 0 ? terminal.getSize().getRows() : 24;
    int room = Math.max(3, height - FIXED_LINES - footerLines);
    int first = 0;
    if (all.size() > room) {
      first = Math.clamp(lineOfInterest(all) - room / 3, 0, all.size() - room);
    }
    List<AttributedString> lines = new ArrayList<>();
    for (List<CanvasLayout.Piece> line : all.subList(first, Math.min(all.size(), first + room))) {
      AttributedStringBuilder builder = margin();
      for (CanvasLayout.Piece piece : line) {
        builder.styled(style(piece), piece.text());
      }
      lines.add(builder.toAttributedString());
    }
    return lines;
  }

  /** The first line with something selected; else the first one that is not all decided. */
  private static int lineOfInterest(List<List<CanvasLayout.Piece>> lines) {
    return firstLine(lines, CanvasLayout.Piece::selected)
        .orElse(firstLine(lines, piece -> piece.look() == Look.UNDECIDED).orElse(lines.size()));
  }

  private static OptionalInt firstLine(
      List<List<CanvasLayout.Piece>> lines, Predicate<CanvasLayout.Piece> wanted) {
    return IntStream.range(0, lines.size())
        .filter(index -> lines.get(index).stream().anyMatch(wanted))
        .findFirst();
  }

  private static AttributedStyle style(CanvasLayout.Piece piece) {
    AttributedStyle style = AttributedStyle.DEFAULT;
    if (piece.look().terminalColour() >= 0) {
      style = style.foreground(piece.look().terminalColour());
    }
    if (piece.selected()) {
      style = style.inverse();
    }
    return piece.look() == Look.PINNED ? style.underline() : style;
  }

  private static AttributedString progressLine(RunProgress progress, int columns) {
    String left = String.format(Locale.ROOT, "step %-4d", progress.steps());
    String right =
        String.format(
            Locale.ROOT,
            " %3d/%d tokens  %.2f s",
            progress.decided(),
            progress.length(),
            progress.seconds());
    int width = Math.max(8, columns - 2 * MARGIN - left.length() - right.length() - 1);
    int done = progress.length() == 0 ? 0 : width * progress.decided() / progress.length();
    return margin()
        .styled(DIM, left)
        .styled(BAR, "━".repeat(done))
        .styled(BAR_REST, "━".repeat(width - done))
        .styled(DIM, right)
        .toAttributedString();
  }

  private static AttributedStringBuilder margin() {
    return new AttributedStringBuilder().append(" ".repeat(MARGIN));
  }

  @Override
  public void close() {
    writer.flush();
  }
}
