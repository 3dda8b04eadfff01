package io.sfumato.server.schedule;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.EngineDevice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineLimits;
import io.sfumato.engine.ScriptedEngine;
import io.sfumato.server.session.NanoClock;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionHandle;
import io.sfumato.server.session.SessionSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * An engine loop over a scripted engine that a test drives step by step, with a clock that only the
 * test moves.
 */
public final class LoopFixture {

  public static final int VOCABULARY = 64;
  public static final int MASK = 63;
  public static final int END_OF_TEXT = 62;

  /** Positions that a model that encodes its context denoises together. */
  public static final int CANVAS = 8;

  final ScriptedEngine engine;
  final EngineLoop loop;
  private long nowNanos = 1_000;
  int lost;

  LoopFixture(EngineLimits limits, int queueCapacity, ScriptedEngine.Script script) {
    this(AttentionKind.FULL, limits, queueCapacity, script);
  }

  LoopFixture(
      AttentionKind attention,
      EngineLimits limits,
      int queueCapacity,
      ScriptedEngine.Script script) {
    this(attention, limits, queueCapacity, Integer.MAX_VALUE, script);
  }

  LoopFixture(
      AttentionKind attention,
      EngineLimits limits,
      int queueCapacity,
      int prefixCacheTokens,
      ScriptedEngine.Script script) {
    this(info(attention), limits, queueCapacity, prefixCacheTokens, script);
  }

  private LoopFixture(
      EngineInfo info,
      EngineLimits limits,
      int queueCapacity,
      int prefixCacheTokens,
      ScriptedEngine.Script script) {
    engine = new ScriptedEngine(info, limits, script);
    NanoClock clock = () -> nowNanos;
    loop =
        new EngineLoop(
            engine,
            new EngineLoopOptions("engine-test", queueCapacity, -1, prefixCacheTokens, "s"),
            clock,
            () -> lost++);
  }

  /** A model that denoises masks over a context that it encodes causally. */
  static LoopFixture seeding(
      EngineLimits limits, int queueCapacity, int prefixCacheTokens, ScriptedEngine.Script script) {
    EngineInfo info = info(AttentionKind.ENCODER_CANVAS, MASK);
    return new LoopFixture(info, limits, queueCapacity, prefixCacheTokens, script);
  }

  static LoopFixture withHashes(EngineLimits limits, int queueCapacity) {
    return new LoopFixture(limits, queueCapacity, new HashScript(VOCABULARY, END_OF_TEXT, 40));
  }

  public static EngineLimits limits(int slots, int items, int tokens) {
    return new EngineLimits(slots, items, tokens, tokens, Specs.MOST_ALTERNATIVES, 0, 16);
  }

  public static EngineInfo info(AttentionKind attention) {
    return info(attention, attention == AttentionKind.ENCODER_CANVAS ? -1 : MASK);
  }

  private static EngineInfo info(AttentionKind attention, int mask) {
    return new EngineInfo(
        "scripted",
        "none",
        "none",
        VOCABULARY,
        1,
        1,
        4096,
        mask,
        END_OF_TEXT,
        END_OF_TEXT,
        attention,
        attention != AttentionKind.FULL,
        attention == AttentionKind.FULL,
        false,
        attention == AttentionKind.ENCODER_CANVAS ? CANVAS : 0,
        1,
        0,
        0,
        0,
        EngineDevice.HOST);
  }

  SessionHandle open(Specs specs) {
    return open(specs.build());
  }

  SessionHandle open(SessionSpec spec) {
    return loop.open(spec, () -> {});
  }

  void pass(long nanos) {
    nowNanos += nanos;
  }

  long now() {
    return nowNanos;
  }

  /** Steps until nothing runs. */
  void finish() {
    for (int step = 0; loop.step(); step++) {
      loop.checkInvariants();
      if (step > 100_000) {
        throw new AssertionError("the loop does not come to rest");
      }
    }
  }

  static List<SessionEvent> drain(SessionHandle session) {
    List<SessionEvent> events = new ArrayList<>();
    for (SessionEvent event = session.poll(); event != null; event = session.poll()) {
      events.add(event);
    }
    return events;
  }

  static <T extends SessionEvent> List<T> of(List<SessionEvent> events, Class<T> kind) {
    return events.stream().filter(kind::isInstance).map(kind::cast).toList();
  }
}
