package io.sfumato.server.rpc;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;

/**
 * Checks of single values that report to {@link Problems} and return something usable either way.
 * Pure.
 */
final class Ranges {

  private Ranges() {}

  /** The value, if it is within the bounds. */
  static int integer(Problems problems, String path, int value, int least, int most) {
    if (value < least || value > most) {
      problems.invalid(path, value, least + ".." + most);
      return least;
    }
    return value;
  }

  /** The value, if it is a number within the bounds. */
  static float number(Problems problems, String path, float value, float least, float most) {
    if (!(value >= least && value <= most)) {
      problems.invalid(path, text(value), text(least) + ".." + text(most));
      return least;
    }
    return value;
  }

  /** The value, if it is a number above 0 and at most 1. */
  static float share(Problems problems, String path, float value) {
    if (!(value > 0 && value <= 1)) {
      problems.invalid(path, text(value), "above 0, up to 1");
      return 1;
    }
    return value;
  }

  /** The duration in nanoseconds, if it is within 0 and a bound. */
  static long nanos(Problems problems, String path, Duration value, Duration most) {
    if (!Durations.isValid(value)) {
      problems.invalid(
          path, value.getSeconds() + " s + " + value.getNanos() + " ns", "a valid duration");
      return 0;
    }
    if (Durations.isNegative(value) || Durations.compare(value, most) > 0) {
      problems.invalid(path, Durations.toString(value), "0s.." + Durations.toString(most));
      return 0;
    }
    return Durations.toNanos(value);
  }

  /** A soft deadline in nanoseconds, if it is above 0 and at most a day. */
  static long softDeadline(Problems problems, String path, Duration value) {
    long nanos = nanos(problems, path, value, Durations.fromDays(1));
    if (nanos == 0 && problems.isEmpty()) {
      problems.invalid(path, "0s", "above 0s, up to a day");
    }
    return nanos;
  }

  /** Checks the length of a text, in UTF-16 units. */
  static void length(Problems problems, String path, String value, int least, int most) {
    if (value.length() < least || value.length() > most) {
      problems.invalid(path, value.length() + " characters", least + ".." + most + " characters");
    }
  }

  /** Checks the size of a collection. */
  static void count(Problems problems, String path, int size, String unit, int least, int most) {
    if (size < least || size > most) {
      problems.invalid(path, size + " " + unit, least + ".." + most);
    }
  }

  /** Checks that every token id is one of a vocabulary. */
  static void tokens(Problems problems, String path, int[] tokens, int vocabulary) {
    for (int index = 0; index < tokens.length; index++) {
      if (tokens[index] < 0 || tokens[index] >= vocabulary) {
        problems.invalid(path + "[" + index + "]", tokens[index], "0.." + (vocabulary - 1));
        return;
      }
    }
  }

  private static String text(float value) {
    return value == Math.rint(value) && Math.abs(value) < 1e6
        ? Integer.toString((int) value)
        : Float.toString(value);
  }
}
