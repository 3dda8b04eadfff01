package io.sfumato.server.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.sfumato.server.app.recording.RecordedLine;
import io.sfumato.server.app.recording.RecordingReader;
import io.sfumato.server.app.recording.RecordingWriter;
import io.sfumato.server.app.terminal.CanvasView;
import io.sfumato.server.app.terminal.Key;
import io.sfumato.server.app.terminal.KeyControls;
import io.sfumato.server.app.terminal.KeySource;
import io.sfumato.server.app.terminal.RunDisplay;
import io.sfumato.server.app.terminal.RunProgress;
import io.sfumato.server.model.ModelSource;
import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.Control;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.SamplingSpec;
import io.sfumato.v1.StopSpec;
import io.sfumato.v1.TokenState;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Keys on a run over a real server on TCP, whose model takes a step when the test lets it. */
class KeySteeringTest {

  private static final Path MODEL =
      Path.of("").toAbsolutePath().getParent().resolve("models/default");
  private static final int ASSISTANT = 4;
  private static final int LENGTH = 256;

  /** What was on display. */
  private record Shown(CanvasView view, int steps, List<String> footer) {
    boolean tells(String news) {
      return !footer.isEmpty() && footer.getLast().startsWith(news);
    }
  }

  private final Semaphore steps = new Semaphore(0);
  private final KeyControls controls = new KeyControls();
  private final BlockingQueue<Shown> shown = new LinkedBlockingQueue<>();
  private final CompletableFuture<Consumer<Key>> keyboard = new CompletableFuture<>();

  @TempDir private Path directory;
  private Path file;
  private Link link;

  @BeforeEach
  void start() throws Exception {
    file = directory.resolve("run.jsonl");
    int[] story = {300, 301, 302, 303, 304, 305, 306, 307};
    StoryEngine engines = new StoryEngine(story, ASSISTANT);
    link =
        Link.loading(
            ModelSource.of("m", MODEL), options -> new GatedEngine(engines.open(options), steps));
    steps.release(100); // to warm up
    link.awaitReady();
    steps.drainPermits();
  }

  @AfterEach
  void end() {
    steps.release(1_000);
    link.close();
  }

  @Test
  void pausesStepsPinsAndFinishes() throws Exception {
    FutureTask<RunOutcome> run = run();
    await(state -> state.steps() > 0);
    press(Key.PAUSE);
    Shown paused = await(state -> state.tells("pause: step "));
    press(Key.STEP);
    Shown stepped = await(state -> state.tells("step: step "));
    assertThat(stepped.steps()).isGreaterThan(paused.steps());
    int decided = 0;
    while (stepped.view().state(decided) != TokenState.TOKEN_STATE_PROVISIONAL) {
      decided++;
    }
    int position = decided;
    for (int count = 0; count <= position; count++) {
      press(Key.RIGHT);
    }
    press(Key.PIN);
    Shown pinned = await(state -> state.view().state(position) == TokenState.TOKEN_STATE_PINNED);
    assertThat(pinned.steps()).isEqualTo(stepped.steps());
    press(Key.FINISH);
    steps.release(1_000);
    assertThat(run.get().finished().getReason())
        .isEqualTo(FinishReason.FINISH_REASON_FINISHED_BY_CLIENT);
    assertThat(run.get().steps()).isEqualTo(stepped.steps() + 1);
    List<RecordedLine> lines = RecordingReader.read(file);
    assertThat(lines)
        .filteredOn(line -> line.message() instanceof Control)
        .extracting(line -> ((Control) line.message()).getActionCase())
        .containsExactly(
            Control.ActionCase.PAUSE,
            Control.ActionCase.RESUME,
            Control.ActionCase.PAUSE,
            Control.ActionCase.PIN_SPANS,
            Control.ActionCase.FINISH_NOW);
  }

  @Test
  void cancels() throws Exception {
    FutureTask<RunOutcome> run = run();
    await(state -> state.steps() > 0);
    press(Key.CANCEL);
    press(Key.PAUSE);
    assertThatThrownBy(run::get)
        .isInstanceOf(ExecutionException.class)
        .cause()
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessage("CANCELLED: by key");
    assertThat(RecordingReader.read(file).getLast().message())
        .isEqualTo(
            io.sfumato.v1.Status.newBuilder()
                .setCode(Status.Code.CANCELLED.value())
                .setMessage("by key")
                .build());
  }

  private FutureTask<RunOutcome> run() {
    FutureTask<RunOutcome> run =
        new FutureTask<>(() -> {
          try (RecordingWriter recording = RecordingWriter.open(file)) {
            RunFollower follower =
                new RunFollower(RunTitle.of(request()), display(), Optional.empty());
            CanvasRun.Keys keys = new CanvasRun.Keys(this::keys, controls);
            return CanvasRun.generate(
                link.channel(),
                request(),
                new CanvasRun.Audience(follower, Optional.of(keys), Optional.of(recording)));
          }
        });
    Thread.ofPlatform().start(run);
    return run;
  }

  private KeySource.Keyboard keys(Consumer<Key> pressed) {
    keyboard.complete(pressed);
    return () -> {};
  }

  private void press(Key key) throws Exception {
    keyboard.get().accept(key);
  }

  private RunDisplay display() {
    return new RunDisplay() {
      @Override
      public void show(CanvasView view, RunProgress progress) {
        shown.add(new Shown(view.copy(), progress.steps(), controls.footer(view)));
      }

      @Override
      public void close() {}
    };
  }

  /** Lets the model step until what is shown is as wanted. */
  private Shown await(Predicate<Shown> wanted) throws InterruptedException {
    steps.release();
    Shown last = shown.take();
    while (!wanted.test(last)) {
      steps.release();
      last = shown.take();
    }
    return last;
  }

  private static GenerateStart request() {
    return GenerateStart.newBuilder()
        .setPrompt(Prompt.newBuilder().setText("a"))
        .setCanvas(CanvasSpec.newBuilder().setMaxLengthTokens(LENGTH).setBlockLengthTokens(LENGTH))
        .setSampling(
            SamplingSpec.newBuilder()
                .setMaxStepsPerBlock(LENGTH)
                .setFixedSchedule(FixedSchedule.newBuilder().setSteps(LENGTH)))
        .setStop(StopSpec.newBuilder().setIgnoreEndOfText(true))
        .setStream(CanvasView.stream(0))
        .build();
  }
}
