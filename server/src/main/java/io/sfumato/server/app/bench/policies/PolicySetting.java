package io.sfumato.server.app.bench.policies;

import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.AcceptanceSpec.Order;
import io.sfumato.server.sampling.AcceptanceSpec.Spread;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.SamplingSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * An acceptance policy with its one parameter. Immutable.
 *
 * @param value in the range of its kind
 */
record PolicySetting(Kind kind, float value) {

  private static final int MOST_SETTINGS = 256;
  private static final int[] NO_TOKENS = {};

  /** Policies by their names on the command line. */
  enum Kind {
    /** Confidence to accept from, 0..1. */
    THRESHOLD("0..1"),
    /** Steps per block, 1..4096: even shares, by confidence. */
    FIXED("a whole number, 1..4096"),
    /** Sum of entropies in nats, 0..100. */
    ENTROPY("0..100");

    private final String range;

    Kind(String range) {
      this.range = range;
    }

    private boolean has(float value) {
      return switch (this) {
        case THRESHOLD -> value >= 0 && value <= 1;
        case FIXED -> value >= 1 && value <= 4096 && value == Math.rint(value);
        case ENTROPY -> value >= 0 && value <= 100;
      };
    }
  }

  PolicySetting {
    if (!kind.has(value)) {
      throw wrong(kind, Float.toString(value));
    }
  }

  /** One token per step. */
  static PolicySetting reference(int blockLength) {
    return new PolicySetting(Kind.FIXED, blockLength);
  }

  /**
   * Reads sweeps such as {@code threshold:0.8,0.9}.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  static List<PolicySetting> parse(List<String> sweeps) {
    List<PolicySetting> settings = new ArrayList<>();
    for (String sweep : sweeps) {
      int colon = sweep.indexOf(':');
      Kind kind = kind(colon < 0 ? sweep : sweep.substring(0, colon));
      for (String value : sweep.substring(colon < 0 ? sweep.length() : colon + 1).split(",", -1)) {
        settings.add(new PolicySetting(kind, number(kind, value.strip())));
      }
    }
    if (settings.size() > MOST_SETTINGS) {
      throw new IllegalArgumentException(
          "settings: " + settings.size() + " (expected: at most " + MOST_SETTINGS + ")");
    }
    return settings;
  }

  private static Kind kind(String name) {
    for (Kind kind : Kind.values()) {
      if (name.equals(name(kind))) {
        return kind;
      }
    }
    throw new IllegalArgumentException(
        "policy: " + name + " (expected: threshold, fixed or entropy)");
  }

  private static float number(Kind kind, String text) {
    try {
      return Float.parseFloat(text);
    } catch (NumberFormatException e) {
      throw wrong(kind, text);
    }
  }

  private static IllegalArgumentException wrong(Kind kind, String value) {
    return new IllegalArgumentException(
        name(kind) + ": " + value + " (expected: " + kind.range + ")");
  }

  private static String name(Kind kind) {
    return kind.name().toLowerCase(Locale.ROOT);
  }

  /** As on the command line. */
  String name() {
    return name(kind);
  }

  /** The parameter, e.g. {@code 0.9} or {@code 64}. */
  String parameter() {
    return kind == Kind.FIXED ? Integer.toString((int) value) : Float.toString(value);
  }

  /** How a session with this policy samples: the most probable tokens, and no revision. */
  SamplingSpec sampling(int blockLength) {
    int steps = kind == Kind.FIXED ? (int) value : blockLength;
    AcceptanceSpec acceptance =
        switch (kind) {
          case THRESHOLD -> new AcceptanceSpec.ConfidenceThreshold(value);
          case FIXED -> new AcceptanceSpec.FixedSchedule(steps, Order.CONFIDENCE, Spread.EVEN);
          case ENTROPY -> new AcceptanceSpec.EntropyBound(value);
        };
    return new SamplingSpec(
        0,
        TemperatureSchedule.GREEDY,
        steps,
        1,
        acceptance,
        RevisionSpec.NONE,
        0,
        NO_TOKENS,
        NO_TOKENS,
        false,
        Optional.empty());
  }
}
