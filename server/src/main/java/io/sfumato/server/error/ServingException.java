package io.sfumato.server.error;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;

/**
 * The one exception of the server: a reason, a message for the client, and what the client's
 * program needs to react. Immutable.
 */
public final class ServingException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final ErrorReason reason;
  private final transient List<FieldViolation> violations;
  private final transient Map<String, String> metadata;
  private final long retryAfterNanos;

  public ServingException(ErrorReason reason, String message) {
    this(reason, message, List.of(), Map.of(), 0, null);
  }

  public ServingException(ErrorReason reason, String message, Throwable cause) {
    this(reason, message, List.of(), Map.of(), 0, cause);
  }

  /**
   * @param violations the wrong fields, for INVALID_FIELD
   * @param metadata facts for programs, e.g. {@code limit -> 4096}; never secrets
   * @param retryAfterNanos when a retry makes sense; 0 for never
   */
  public ServingException(
      ErrorReason reason,
      String message,
      List<FieldViolation> violations,
      Map<String, String> metadata,
      long retryAfterNanos,
      Throwable cause) {
    super(requireNonNull(message, "message"), cause);
    this.reason = requireNonNull(reason, "reason");
    this.violations = List.copyOf(violations);
    this.metadata = Map.copyOf(metadata);
    this.retryAfterNanos = retryAfterNanos;
  }

  /** One wrong field. */
  public static ServingException invalidField(String path, Object value, String expected) {
    String name = path.substring(path.lastIndexOf('.') + 1);
    String message = name + ": " + value + " (expected: " + expected + ")";
    return new ServingException(
        ErrorReason.INVALID_FIELD,
        path + ": " + value + " (expected: " + expected + ")",
        List.of(new FieldViolation(path, message)),
        Map.of(),
        0,
        null);
  }

  public ErrorReason reason() {
    return reason;
  }

  public List<FieldViolation> violations() {
    return violations;
  }

  public Map<String, String> metadata() {
    return metadata;
  }

  public long retryAfterNanos() {
    return retryAfterNanos;
  }
}
