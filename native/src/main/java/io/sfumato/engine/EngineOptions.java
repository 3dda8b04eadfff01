package io.sfumato.engine;

import java.nio.file.Path;

/**
 * How to open an engine.
 *
 * @param modelDirectory Hugging Face layout: config.json and safetensors
 * @param threads worker threads, the caller's included; 0 for one per core
 * @param products number format of the matrix products
 * @param device where to compute
 * @param approximateCache whether tokens that all see each other may be kept in pages, where the
 *     family has such tokens
 * @param limits what one step may hold
 */
public record EngineOptions(
    Path modelDirectory,
    int threads,
    ProductType products,
    DeviceChoice device,
    boolean approximateCache,
    EngineLimits limits) {}
