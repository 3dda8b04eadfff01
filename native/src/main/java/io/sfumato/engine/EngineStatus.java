package io.sfumato.engine;

/**
 * Why an engine refused or failed; the same values as {@code sfumato_status} of the C interface.
 */
public enum EngineStatus {
  INVALID_ARGUMENT,
  FAILED_PRECONDITION,
  NOT_FOUND,
  DATA_LOSS,
  RESOURCE_EXHAUSTED,
  UNIMPLEMENTED,
  INTERNAL
}
