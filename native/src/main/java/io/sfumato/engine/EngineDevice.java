package io.sfumato.engine;

/**
 * Where an engine computes, and what it took of a GPU's memory.
 *
 * @param name {@code cpu}, or {@code cuda:} with the GPU's number and name
 * @param note why AUTO took the CPU; empty for a device that was asked for, and for a GPU
 * @param pageBytes bytes of key-value pages, on any device
 * @param reservedBytes of a GPU's memory, taken when the engine opened; 0 for the CPU, as the
 *     others
 * @param freeBytes that were free before
 */
public record EngineDevice(
    String name, String note, long pageBytes, long reservedBytes, long freeBytes, long totalBytes) {

  /** The host, about which nothing needs to be told. */
  public static final EngineDevice HOST = new EngineDevice("cpu", "", 0, 0, 0, 0);
}
