package io.sfumato.engine;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a model is to be computed.
 *
 * @param kind AUTO, the GPU where there is one, else the CPU; or one of both
 * @param ordinal which of the machine's GPUs, 0..63; 0 for the CPU
 */
public record DeviceChoice(Kind kind, int ordinal) {

  /** The same values as {@code sfumato_device} of the C interface. */
  public enum Kind {
    AUTO,
    CPU,
    CUDA
  }

  public static final DeviceChoice AUTO = new DeviceChoice(Kind.AUTO, 0);
  public static final DeviceChoice CPU = new DeviceChoice(Kind.CPU, 0);

  /** What {@link #parse} understands. */
  public static final String FORMS = "auto, cpu, cuda or cuda:N, N a GPU's number from 0 to 63";

  private static final Pattern FORM =
      Pattern.compile("auto|cpu|cuda(?::([0-9]|[1-5][0-9]|6[0-3]))?");

  /** The choice that a text names, as {@link #toString} writes it; empty for any other text. */
  public static Optional<DeviceChoice> parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    String ordinal = matcher.group(1);
    String kind = text.replaceFirst(":.*", "").toUpperCase(Locale.ROOT);
    return Optional.of(
        new DeviceChoice(Kind.valueOf(kind), ordinal == null ? 0 : Integer.parseInt(ordinal)));
  }

  @Override
  public String toString() {
    String name = kind.name().toLowerCase(Locale.ROOT);
    return kind == Kind.CUDA ? name + ":" + ordinal : name;
  }
}
