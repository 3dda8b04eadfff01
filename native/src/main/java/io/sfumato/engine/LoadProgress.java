package io.sfumato.engine;

/**
 * How far a model has been loaded. Immutable.
 *
 * @param bytesRead of its tensors, 0..bytesTotal
 * @param bytesTotal of the tensors in its files
 */
public record LoadProgress(long bytesRead, long bytesTotal) {}
