package io.sfumato.server.app;

import io.sfumato.server.app.recording.RecordingWriter;
import io.sfumato.server.app.terminal.KeyControls;
import io.sfumato.server.app.terminal.RunDisplay;
import io.sfumato.server.app.terminal.SvgPicture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Options that say how a run is shown, steered and kept while it happens. Confined to the main
 * thread.
 */
@Command(
    footer = {
      "",
      "Keys in a terminal, while the canvas forms:",
      "  space         pause, resume",
      "  s             one step, while paused",
      "  left, right   select a token; up, down: 10 tokens further on",
      "  [ ]           extend the selection, as shift with left and right",
      "  p  u          pin what is selected; unpin it",
      "  o  O          reopen the half that the model is least sure of; all of it",
      "  b             blank it, pins included",
      "  a             show what else the model considered there; no longer",
      "  f             finish now, with the best guess",
      "  q  Ctrl-C     cancel"
    })
final class LiveOptions {

  @Mixin private PictureOptions pictures;

  @Option(names = "--frames", description = "Without a terminal, print one line per frame, too.")
  private boolean frames;

  @Option(names = "--no-keys", description = "In a terminal, leave the keys alone.")
  private boolean noKeys;

  @Option(
      names = "--record",
      paramLabel = "FILE",
      description =
          "Write the request, all events and controls to a file, as JSON lines, for sfumato"
              + " replay.")
  private Path record;

  /** A call that is made before an audience. */
  @FunctionalInterface
  interface Call {
    RunOutcome run(CanvasRun.Audience audience) throws InterruptedException;
  }

  /**
   * @param pictureFrames of a picture, unless an option says otherwise
   */
  LiveOptions(int pictureFrames) {
    pictures = new PictureOptions(pictureFrames);
  }

  /** Makes the call, shows it as asked, and prints and keeps what came of it. */
  void show(Output output, RunTitle title, Call call) throws IOException, InterruptedException {
    Optional<SvgPicture> picture = pictures.begin();
    try (RecordingWriter recording = record == null ? null : RecordingWriter.open(record)) {
      RunOutcome outcome;
      Optional<CanvasRun.Keys> keys =
          output.isTerminal() && !noKeys
              ? Optional.of(new CanvasRun.Keys(output::keys, new KeyControls()))
              : Optional.empty();
      try (RunDisplay display = display(output, keys)) {
        RunFollower follower = new RunFollower(title, display, picture);
        outcome = call.run(new CanvasRun.Audience(follower, keys, Optional.ofNullable(recording)));
      }
      RunReport.print(output, outcome, frames);
      pictures.write(picture);
    }
  }

  private RunDisplay display(Output output, Optional<CanvasRun.Keys> keys) {
    return output.isTerminal() || frames
        ? output.display(keys.map(CanvasRun.Keys::controls))
        : RunDisplay.NONE;
  }
}
