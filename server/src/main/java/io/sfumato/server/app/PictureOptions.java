package io.sfumato.server.app;

import io.sfumato.server.app.terminal.SvgPicture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of a picture of a run. Confined to the main thread. */
final class PictureOptions {

  @Option(names = "--svg", paramLabel = "FILE", description = "Write a picture of the run.")
  private Path svg;

  @Option(
      names = "--svg-frames",
      paramLabel = "N",
      description = "Frames of the picture (default: ${DEFAULT-VALUE}).")
  private int frames;

  /**
   * @param frames when the option is absent
   */
  PictureOptions(int frames) {
    this.frames = frames;
  }

  /** An empty picture, if one is wanted. */
  Optional<SvgPicture> begin() {
    return svg == null ? Optional.empty() : Optional.of(new SvgPicture());
  }

  void write(Optional<SvgPicture> picture) throws IOException {
    if (picture.isPresent()) {
      Files.writeString(svg, picture.get().draw(frames));
    }
  }
}
