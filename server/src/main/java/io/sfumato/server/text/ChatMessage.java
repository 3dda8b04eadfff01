package io.sfumato.server.text;

/**
 * One turn of a conversation.
 *
 * @param role e.g. {@code user}, {@code assistant}, {@code system}, as the model's chat template
 *     knows them
 */
public record ChatMessage(String role, String content) {}
