package io.sfumato.server.app;

import io.sfumato.server.app.recording.RecordedLine;
import io.sfumato.server.app.recording.RecordingReader;
import io.sfumato.server.app.terminal.RunDisplay;
import io.sfumato.server.app.terminal.SvgPicture;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.Status;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sfumato replay}: shows a recorded run again. Lives on the main thread. */
@Command(
    name = "replay",
    description =
        "Shows a run again that generate or refine has recorded (--record FILE): live on a"
            + " terminal, else one line per frame.",
    mixinStandardHelpOptions = true)
final class ReplayCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;
  @ArgGroup private Pace pace = new Pace();
  @Mixin private PictureOptions pictures = new PictureOptions(6);

  @Parameters(paramLabel = "FILE", description = "The recording.")
  private Path file;

  /** At most one of these. */
  static final class Pace {
    @Option(
        names = "--speed",
        paramLabel = "X",
        description = "Times as fast as it was; 0 without waiting (default: ${DEFAULT-VALUE}).")
    private double speed = 1;

    @Option(names = "--instant", description = "Without waiting.")
    private boolean instant;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (!(pace.speed >= 0 && Double.isFinite(pace.speed))) {
      throw new ParameterException(
          spec.commandLine(), "speed: " + pace.speed + " (expected: a number from 0)");
    }
    List<RecordedLine> lines = RecordingReader.read(file);
    Replay replay = new Replay(file, lines);
    Optional<SvgPicture> picture = pictures.begin();
    try (Output output = Output.open()) {
      RunFollower follower;
      try (RunDisplay display = output.display()) {
        follower = new RunFollower(title(lines.getFirst()), display, picture);
        replay.play(follower, pacing());
      }
      if (follower.isFinished()) {
        RunReport.print(output, follower.outcome(replay.totalNanos()), true);
      } else {
        output.line(Output.DIM, "  " + replay.status().map(ReplayCommand::end).orElse("cut off"));
      }
    }
    pictures.write(picture);
    return 0;
  }

  private Replay.Pacing pacing() {
    return pace.instant || pace.speed == 0
        ? Replay.Pacing.INSTANT
        : Replay.Pacing.recorded(pace.speed, Replay.Pacing.wallClock());
  }

  private static RunTitle title(RecordedLine request) {
    return switch (request.message()) {
      case GenerateStart generate -> RunTitle.of(generate);
      case RefineStart refine -> RunTitle.of(refine);
      default -> throw new IllegalStateException("first line: neither generate nor refine");
    };
  }

  private static String end(Status status) {
    return "ended by " + RemoteErrors.describe(status);
  }
}
