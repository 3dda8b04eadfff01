package io.sfumato.server.error;

/**
 * One field of a request that is wrong.
 *
 * @param path dotted path of the field in the request, e.g. {@code start.canvas.max_length_tokens}
 * @param message {@code name: value (expected: ...)}
 */
public record FieldViolation(String path, String message) {}
