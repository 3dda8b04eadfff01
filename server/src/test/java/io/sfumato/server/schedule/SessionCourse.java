package io.sfumato.server.schedule;

import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.session.Control;
import io.sfumato.server.session.Session;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;

/**
 * Everything that a session shows, step by step, among neighbours that join and leave: tokens,
 * states and the bits of the confidences. Drives the loop itself; confined to one thread.
 */
final class SessionCourse {

  private static final String USED = "used ";
  private static final String FINISHED = "finished ";

  private final EngineLoop loop;
  private final Supplier<SessionSpec> neighbours;
  private final Random random;
  private final Map<Integer, Control> controls;
  private final List<SessionHandle> others = new ArrayList<>();
  private final List<String> shown = new ArrayList<>();
  private int steps; // of the canvas shown last

  private SessionCourse(
      EngineLoop loop,
      Supplier<SessionSpec> neighbours,
      Random random,
      Map<Integer, Control> controls) {
    this.loop = loop;
    this.neighbours = neighbours;
    this.random = random;
    this.controls = controls;
  }

  static List<String> of(
      EngineLoop loop,
      SessionSpec spec,
      int others,
      Supplier<SessionSpec> neighbours,
      Random random) {
    return of(loop, spec, others, neighbours, random, Map.of());
  }

  /**
   * @param controls what the client asks after so many steps of its session
   */
  static List<String> of(
      EngineLoop loop,
      SessionSpec spec,
      int others,
      Supplier<SessionSpec> neighbours,
      Random random,
      Map<Integer, Control> controls) {
    return new SessionCourse(loop, neighbours, random, new HashMap<>(controls)).run(spec, others);
  }

  /** A course but for its cost, which depends on what the pages held before. */
  static List<String> withoutUsage(List<String> course) {
    return course.stream().filter(line -> !line.startsWith(USED)).toList();
  }

  private List<String> run(SessionSpec spec, int count) {
    join(count / 2);
    SessionHandle session = loop.open(spec, () -> {});
    join(count - count / 2);
    while (shown.isEmpty() || !shown.getLast().startsWith(FINISHED)) {
      Control control = controls.remove(((Session) session).totalSteps());
      if (control != null) {
        session.control(control);
      }
      if (!loop.step()) {
        break;
      }
      loop.checkInvariants();
      LoopFixture.drain(session).forEach(this::describe);
      if (count > 0 && random.nextInt(3) == 0) {
        others.remove(random.nextInt(others.size())).cancel();
        join(1);
      }
    }
    LoopFixture.drain(session).forEach(this::describe);
    others.forEach(SessionHandle::cancel);
    loop.step();
    return shown;
  }

  private void join(int count) {
    for (int index = 0; index < count; index++) {
      others.add(loop.open(neighbours.get(), () -> {}));
    }
  }

  private void describe(SessionEvent event) {
    switch (event) {
      case SessionEvent.CanvasChanged changed -> {
        // What a control alone has changed is seen only if a step comes later, which is chance.
        if (changed.snapshot().totalSteps() > steps) {
          steps = changed.snapshot().totalSteps();
          shown.add(describe(changed.snapshot()));
        }
      }
      case SessionEvent.BlockCommitted block ->
          shown.add(
              "committed "
                  + block.block()
                  + " "
                  + block.steps()
                  + " "
                  + Arrays.toString(block.tokens()));
      case SessionEvent.Finished finished -> {
        shown.add(USED + finished.usage());
        shown.add(FINISHED + finished.reason() + " " + Arrays.toString(finished.tokens()));
      }
      case SessionEvent.Failed failed -> throw new AssertionError(failed.reason());
      case SessionEvent.Accepted ignored -> {}
      case SessionEvent.Progress ignored -> {}
      case SessionEvent.ControlApplied applied -> shown.add(applied.toString());
      case SessionEvent.ControlRejected rejected ->
          shown.add(rejected.controlId() + " " + rejected.reason().getMessage());
    }
  }

  private static String describe(CanvasSnapshot canvas) {
    StringBuilder text = new StringBuilder();
    text.append(canvas.block())
        .append('/')
        .append(canvas.step())
        .append('/')
        .append(canvas.totalSteps());
    for (int position = 0; position < canvas.length(); position++) {
      text.append(' ')
          .append(canvas.token(position))
          .append(canvas.state(position).name().charAt(0));
      text.append(Integer.toHexString(Float.floatToRawIntBits(canvas.confidence(position))));
    }
    return text.toString();
  }
}
