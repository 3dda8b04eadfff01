package io.sfumato.server.model;

import java.util.Optional;

/**
 * One configured model.
 *
 * @param message why it failed, or what it is doing; may be empty
 * @param served present when READY
 */
public record ModelEntry(String name, State state, String message, Optional<ServedModel> served) {

  /** How far a model has come. */
  public enum State {
    LOADING,
    READY,
    FAILED
  }
}
