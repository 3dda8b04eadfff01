package io.sfumato.server.model;

import java.util.List;

/** The models of a server and how far each has come. Thread-safe. */
public interface ModelCatalog {

  /** All configured models in the order of the configuration. */
  List<ModelEntry> entries();

  /**
   * A model that is ready.
   *
   * @param name as configured; empty for the first configured one
   * @throws io.sfumato.server.error.ServingException MODEL_NOT_FOUND, MODEL_LOADING or ENGINE_LOST
   */
  ServedModel require(String name);
}
