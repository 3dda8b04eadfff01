package io.sfumato.server.error;

/**
 * Why a request, a control or a session was refused or failed: the {@code reason} of the error that
 * the client sees.
 */
public enum ErrorReason {
  /** A field is missing, malformed or out of range. */
  INVALID_FIELD(ErrorKind.INVALID_ARGUMENT),
  /** A message came at a place of the stream where it is not allowed. */
  UNEXPECTED_MESSAGE(ErrorKind.INVALID_ARGUMENT),
  /** Prompt and canvas together are longer than the model's context. */
  CONTEXT_TOO_LONG(ErrorKind.INVALID_ARGUMENT),
  /** The control cannot be applied to the canvas as it is now. */
  CONTROL_NOT_APPLICABLE(ErrorKind.FAILED_PRECONDITION),
  /** What the control is about has been committed or edited since the frame it names. */
  STALE_FRAME(ErrorKind.ABORTED),
  /** The model cannot do this: no tokenizer, no chat template, no guidance, ... */
  MODEL_CAPABILITY(ErrorKind.FAILED_PRECONDITION),
  /** The server does not have this yet; the message names the field. */
  NOT_BUILT(ErrorKind.UNIMPLEMENTED),
  MODEL_NOT_FOUND(ErrorKind.NOT_FOUND),
  MODEL_LOADING(ErrorKind.UNAVAILABLE),
  SERVER_DRAINING(ErrorKind.UNAVAILABLE),
  ENGINE_LOST(ErrorKind.UNAVAILABLE),
  QUEUE_FULL(ErrorKind.RESOURCE_EXHAUSTED),
  TOO_MANY_CONTROLS(ErrorKind.RESOURCE_EXHAUSTED),
  CLIENT_TOO_SLOW(ErrorKind.RESOURCE_EXHAUSTED),
  EXPIRED_IN_QUEUE(ErrorKind.DEADLINE_EXCEEDED),
  EXPIRED_RUNNING(ErrorKind.DEADLINE_EXCEEDED),
  CANCELLED_BY_CLIENT(ErrorKind.CANCELLED),
  /** A fault of ours; details are in the log under the correlation id. */
  INTERNAL_FAULT(ErrorKind.INTERNAL);

  private final ErrorKind kind;

  ErrorReason(ErrorKind kind) {
    this.kind = kind;
  }

  public ErrorKind kind() {
    return kind;
  }
}
