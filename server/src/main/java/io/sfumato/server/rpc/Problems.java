package io.sfumato.server.rpc;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.FieldViolation;
import io.sfumato.server.error.ServingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Everything that is wrong with a request, collected so that a client learns all of it at once.
 * Confined to one call.
 *
 * <p>What is wrong for every server is reported before what this server cannot do yet, and that
 * before what the model cannot do.
 */
final class Problems {

  private static final int MOST_REPORTED = 32;

  private final List<FieldViolation> invalid = new ArrayList<>();
  private final List<FieldViolation> notBuilt = new ArrayList<>();
  private final List<FieldViolation> capability = new ArrayList<>();

  /** A field that is missing, malformed or out of range. */
  void invalid(String path, Object value, String expected) {
    add(invalid, path, value, expected);
  }

  /**
   * What a tokenizer or chat template refused.
   *
   * @param path of what it was given; its own paths begin there
   * @throws ServingException what is wrong for another reason than the request or the model
   */
  void refused(String path, ServingException refusal) {
    switch (refusal.reason()) {
      case INVALID_FIELD -> add(invalid, path, refusal);
      case MODEL_CAPABILITY -> add(capability, path, refusal);
      default -> throw refusal;
    }
  }

  private static void add(List<FieldViolation> violations, String path, ServingException refusal) {
    for (FieldViolation violation : refusal.violations()) {
      violations.add(new FieldViolation(path + "." + violation.path(), violation.message()));
    }
    if (refusal.violations().isEmpty()) {
      violations.add(new FieldViolation(path, name(path) + ": " + refusal.getMessage()));
    }
  }

  /** A field for something that the server does not have yet. */
  void notBuilt(String path, Object value) {
    add(notBuilt, path, value, "absent, not built yet");
  }

  /** A field for something that the model cannot do. */
  void capability(String path, Object value, String expected) {
    add(capability, path, value, expected);
  }

  /** Whether nothing was found so far. */
  boolean isEmpty() {
    return invalid.isEmpty() && notBuilt.isEmpty() && capability.isEmpty();
  }

  /**
   * Ends the checks.
   *
   * @throws ServingException INVALID_FIELD, NOT_BUILT or MODEL_CAPABILITY when anything was found
   */
  void throwIfAny() {
    throwIfAny(ErrorReason.INVALID_FIELD, invalid);
    throwIfAny(ErrorReason.NOT_BUILT, notBuilt);
    throwIfAny(ErrorReason.MODEL_CAPABILITY, capability);
  }

  private static void throwIfAny(ErrorReason reason, List<FieldViolation> violations) {
    if (!violations.isEmpty()) {
      throw new ServingException(reason, message(violations), violations, Map.of(), 0, null);
    }
  }

  private static String message(List<FieldViolation> violations) {
    FieldViolation first = violations.get(0);
    String more = violations.size() == 1 ? "" : " and " + (violations.size() - 1) + " more";
    return first.path() + first.message().substring(name(first.path()).length()) + more;
  }

  private static void add(
      List<FieldViolation> violations, String path, Object value, String expected) {
    if (violations.size() < MOST_REPORTED) {
      violations.add(
          new FieldViolation(path, name(path) + ": " + value + " (expected: " + expected + ")"));
    }
  }

  private static String name(String path) {
    return path.substring(path.lastIndexOf('.') + 1);
  }
}
