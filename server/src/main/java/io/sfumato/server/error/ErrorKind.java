package io.sfumato.server.error;

/**
 * The gRPC status code that a reason maps to, named here so that nothing but the rpc package
 * depends on gRPC.
 */
public enum ErrorKind {
  INVALID_ARGUMENT,
  FAILED_PRECONDITION,
  UNIMPLEMENTED,
  NOT_FOUND,
  UNAVAILABLE,
  RESOURCE_EXHAUSTED,
  DEADLINE_EXCEEDED,
  CANCELLED,
  ABORTED,
  INTERNAL
}
