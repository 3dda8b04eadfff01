package io.sfumato.server.app;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.ProductType;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * Options that say where a model is computed, and with which products. Confined to the main thread.
 */
public final class EngineChoice {

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "Where models run: auto, cpu, cuda or cuda:N (default: auto).")
  private DeviceChoice device;

  @Option(
      names = "--products",
      paramLabel = "TYPE",
      description = "Number format of products: ${COMPLETION-CANDIDATES} (default: AUTO).")
  private ProductType products;

  /** Empty where the option is not given. */
  Optional<DeviceChoice> givenDevice() {
    return Optional.ofNullable(device);
  }

  /** Empty where the option is not given. */
  Optional<ProductType> givenProducts() {
    return Optional.ofNullable(products);
  }

  public DeviceChoice device() {
    return device == null ? DeviceChoice.AUTO : device;
  }

  public ProductType products() {
    return products == null ? ProductType.AUTO : products;
  }
}
