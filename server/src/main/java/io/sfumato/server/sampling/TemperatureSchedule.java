package io.sfumato.server.sampling;

/**
 * The temperature of each step of a block: a straight line from its first step to the last one that
 * the budget allows. Immutable and thread-safe.
 *
 * @param first 0, which takes the most probable token, or 0.001..1000
 * @param last 0 or 0.001..1000
 */
public record TemperatureSchedule(float first, float last) {

  /** The lowest temperature that draws; below it the most probable token is taken. */
  public static final float LEAST = 1e-3f;

  /** The most probable token at every step. */
  public static final TemperatureSchedule GREEDY = constant(0);

  public static TemperatureSchedule constant(float temperature) {
    return new TemperatureSchedule(temperature, temperature);
  }

  public boolean isConstant() {
    return first == last;
  }

  /**
   * @param step within the block, from 1
   * @param steps that the block may take, >= 1
   */
  public float at(int step, int steps) {
    if (isConstant() || step <= 1) {
      return first;
    }
    double share = Math.min(1, (step - 1) / (double) Math.max(1, steps - 1));
    float temperature = (float) (first + ((double) last - first) * share);
    return temperature < LEAST ? 0 : temperature;
  }
}
