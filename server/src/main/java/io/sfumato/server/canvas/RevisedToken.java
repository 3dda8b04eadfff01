package io.sfumato.server.canvas;

/**
 * A position whose token was replaced while the canvas was written.
 *
 * @param firstToken what stood there first: the draft's or the client's token, else the first one
 *     that was decided
 * @param token what was decided last
 * @param step steps done, all blocks together, when that was decided
 * @param replacements how often another token took the place of the one before, >= 1
 */
public record RevisedToken(int position, int firstToken, int token, int step, int replacements) {}
