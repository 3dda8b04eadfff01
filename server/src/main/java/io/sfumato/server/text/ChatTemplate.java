package io.sfumato.server.text;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A model's chat template in Jinja, as transformers renders it. Thread-safe: one rendering at a
 * time.
 */
public final class ChatTemplate {

  /** Far above what a template of a long conversation takes (about 0.1 million per message). */
  private static final long MAX_INSTRUCTIONS = 200_000_000;

  private final JinjaRuntime runtime;
  private final Object program;
  private final Map<String, String> specialTokens;
  private final InstantSource clock;

  /**
   * Parses the template.
   *
   * @param source Jinja
   * @param specialTokens variables such as {@code bos_token}
   * @param clock for templates that print the date; in UTC
   * @throws ServingException MODEL_CAPABILITY when the template cannot be parsed
   */
  public ChatTemplate(String source, Map<String, String> specialTokens, InstantSource clock) {
    this.specialTokens = Map.copyOf(specialTokens);
    this.clock = clock;
    runtime = new JinjaRuntime(MAX_INSTRUCTIONS);
    try {
      program = runtime.parse(source);
    } catch (JinjaRuntime.JinjaException e) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "chat_template: " + e.getMessage() + " (expected: a Jinja template)",
          e);
    }
  }

  /**
   * The conversation up to where the assistant begins to speak.
   *
   * @throws ServingException INVALID_FIELD when the template refuses the conversation
   */
  public String render(List<ChatMessage> messages) {
    ObjectNode variables = JsonNodeFactory.instance.objectNode();
    ArrayNode list = variables.putArray("messages");
    for (ChatMessage message : messages) {
      list.addObject().put("role", message.role()).put("content", message.content());
    }
    variables.put("add_generation_prompt", true);
    variables.putNull("tools"); // templates ask whether it is none, which an undefined one is not
    variables.putNull("documents");
    specialTokens.forEach(variables::put);
    try {
      return runtime.render(
          program,
          JsonFiles.write(variables),
          format -> Strftime.format(format, clock.instant().atZone(ZoneOffset.UTC)));
    } catch (JinjaRuntime.JinjaException e) {
      throw ServingException.invalidField(
          "messages",
          messages.size() + " messages",
          "what the model's chat template takes: " + e.getMessage());
    }
  }
}
