package io.sfumato.server.verify;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import tools.jackson.databind.JsonNode;

/** The parameters of a recorded sampler, by its own names. Immutable; thread-safe. */
record TraceParameters(JsonNode node) {

  int positive(String name) {
    int value = node.path(name).asInt(0);
    if (value < 1) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "golden.json: params." + name + ": " + node.path(name) + " (expected: >= 1)");
    }
    return value;
  }

  boolean has(String name) {
    return !node.path(name).isMissingNode() && !node.path(name).isNull();
  }

  boolean is(String name) {
    return node.path(name).asBoolean(false);
  }

  /** -1 when absent. */
  int integer(String name) {
    return has(name) ? node.path(name).asInt(-1) : -1;
  }

  /** 0 when absent. */
  float number(String name) {
    return has(name) ? (float) node.path(name).asDouble(0) : 0;
  }

  String text(String name, String absent) {
    return has(name) ? node.path(name).asString(absent) : absent;
  }

  /** One token or a list of tokens; none when absent. */
  int[] tokens(String name) {
    JsonNode tokens = node.path(name);
    if (tokens.isInt()) {
      return new int[] {tokens.asInt()};
    }
    int[] all = new int[tokens.isArray() ? tokens.size() : 0];
    for (int index = 0; index < all.length; index++) {
      all[index] = tokens.get(index).asInt(-1);
    }
    return all;
  }

  /** Whether the most probable token is always taken. */
  boolean isGreedy() {
    return has("temperature") && number("temperature") == 0;
  }
}
