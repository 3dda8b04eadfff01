package io.sfumato.server.rpc;

import static java.util.Objects.requireNonNull;

import io.sfumato.server.session.NanoClock;
import io.sfumato.server.text.CanvasText;
import io.sfumato.server.text.TextCodec;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What all calls share. Thread-safe. */
final class CallContext {

  private final StatusMapper statuses;
  private final NanoClock clock;
  private final Map<TextCodec, CanvasText> canvasTexts = new ConcurrentHashMap<>(); // one per model

  CallContext(StatusMapper statuses, NanoClock clock) {
    this.statuses = requireNonNull(statuses, "statuses");
    this.clock = requireNonNull(clock, "clock");
  }

  StatusMapper statuses() {
    return statuses;
  }

  NanoClock clock() {
    return clock;
  }

  /** The canvas texts of a model, remembered between its calls. */
  CanvasText canvasText(TextCodec codec) {
    return canvasTexts.computeIfAbsent(codec, CanvasText::new);
  }
}
