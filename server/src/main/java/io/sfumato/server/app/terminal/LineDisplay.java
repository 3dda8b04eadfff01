package io.sfumato.server.app.terminal;

import io.sfumato.v1.TokenState;
import java.io.PrintStream;

/** One line per frame, for outputs that are no terminal. Confined to one thread at a time. */
public final class LineDisplay implements RunDisplay {

  private final PrintStream out;

  public LineDisplay(PrintStream out) {
    this.out = out;
  }

  @Override
  public void show(CanvasView view, RunProgress progress) {
    StringBuilder text = new StringBuilder();
    int undecided = 0;
    for (int position = 0; position < view.length(); position++) {
      if (view.state(position) == TokenState.TOKEN_STATE_UNDECIDED) {
        undecided++;
      } else {
        gap(text, undecided);
        undecided = 0;
        text.append(view.text(position));
      }
    }
    gap(text, undecided);
    String line = text.toString().replaceAll("\\p{Cntrl}", " ").strip();
    out.printf(
        "%s step %d  %d/%d  %s%n",
        progress.title(), progress.steps(), progress.decided(), progress.length(), line);
  }

  private static void gap(StringBuilder text, int undecided) {
    if (undecided > 0) {
      text.append(" [").append(undecided).append("]");
    }
  }

  @Override
  public void close() {
    out.flush();
  }
}
