package io.sfumato.server.app.terminal;

/**
 * How far a run has come. Immutable.
 *
 * @param title what runs
 * @param subtitle on what, e.g. the prompt
 * @param steps denoising steps done
 * @param decided positions that are not undecided
 * @param length positions of the canvas
 * @param seconds since the request
 */
public record RunProgress(
    String title, String subtitle, int steps, int decided, int length, double seconds) {}
