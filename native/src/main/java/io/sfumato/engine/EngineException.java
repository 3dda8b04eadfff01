package io.sfumato.engine;

import static java.util.Objects.requireNonNull;

/** A refusal or failure of the engine, with the engine's own message. */
public final class EngineException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final EngineStatus status;

  public EngineException(EngineStatus status, String message) {
    super(message);
    this.status = requireNonNull(status, "status");
  }

  public EngineStatus status() {
    return status;
  }
}
