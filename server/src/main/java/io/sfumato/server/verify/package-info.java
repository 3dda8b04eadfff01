/**
 * Comparison of a model directory with the recorded outputs of its reference implementation,
 * through the engine and the server's own decoding.
 */
package io.sfumato.server.verify;
