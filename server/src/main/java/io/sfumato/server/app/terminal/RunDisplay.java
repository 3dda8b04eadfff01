package io.sfumato.server.app.terminal;

/** Where a run is shown while it happens. Confined to one thread at a time. */
public interface RunDisplay extends AutoCloseable {

  /** Shows nothing. */
  RunDisplay NONE =
      new RunDisplay() {
        @Override
        public void show(CanvasView view, RunProgress progress) {}

        @Override
        public void close() {}
      };

  /** Shows a canvas. */
  void show(CanvasView view, RunProgress progress);

  /** Leaves what was shown last where it is. */
  @Override
  void close();
}
