package io.sfumato.server.session;

/**
 * What a session cost.
 *
 * @param promptTokens tokens before the canvas
 * @param canvasTokens positions of the canvas
 * @param committedTokens positions committed, end-of-text not counted
 * @param cachedPromptTokens tokens of the prompt that were in the pages already
 * @param forwardPasses model passes, those of guidance counted
 * @param tokenForwards tokens that went through the model, all passes together: the cost
 * @param revisions tokens that were opened again
 */
public record Usage(
    int promptTokens,
    int canvasTokens,
    int committedTokens,
    int cachedPromptTokens,
    int forwardPasses,
    long tokenForwards,
    int revisions) {}
