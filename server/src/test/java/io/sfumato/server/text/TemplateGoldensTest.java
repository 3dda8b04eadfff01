package io.sfumato.server.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

/**
 * Conversations become the text and the ids that transformers' apply_chat_template makes of them,
 * or are refused where it refuses them ({@code fixtures/text}).
 */
class TemplateGoldensTest {

  private static final JsonNode GOLDEN = TextGoldens.json("chats.json");

  @ParameterizedTest
  @ValueSource(strings = {"gemma", "qwen2", "llama3", "llama2"})
  void conversationsAreRenderedAndEncodedAsByTheReference(String name) {
    JsonNode cases = GOLDEN.path("templates").path(name).path("cases");
    ChatTemplate template = template(name);
    assertThat(cases.size()).isGreaterThanOrEqualTo(12);
    try (HuggingFaceTextCodec codec = TextGoldens.codec(name, Optional.of(template))) {
      for (Map.Entry<String, JsonNode> each : cases.properties()) {
        JsonNode conversation = GOLDEN.path("conversations").path(each.getKey());
        List<ChatMessage> messages = messages(conversation.path("messages"));
        String prefix = conversation.path("assistant_prefix").asString();
        JsonNode expected = each.getValue();
        if (expected.has("error")) {
          refuses(template, messages, expected.path("error").asString());
          continue;
        }
        assertThat(template.render(messages) + prefix)
            .as("%s of %s", each.getKey(), name)
            .isEqualTo(expected.path("text").asString());
        int[] ids = codec.encodeChat(messages, prefix);
        if (expected.has("ids")) {
          assertThat(ids).as(each.getKey()).hasSize(expected.path("ids").asInt());
          assertThat(TextGoldens.sha256(ids))
              .as("%s of %s", each.getKey(), name)
              .isEqualTo(expected.path("sha256").asString());
        }
      }
    }
  }

  private static void refuses(ChatTemplate template, List<ChatMessage> messages, String message) {
    assertThatThrownBy(() -> template.render(messages))
        .isInstanceOfSatisfying(
            ServingException.class,
            e -> assertThat(e.reason()).isEqualTo(ErrorReason.INVALID_FIELD))
        .hasMessageContaining(message);
  }

  private static ChatTemplate template(String name) {
    Map<String, String> specialTokens = new HashMap<>();
    GOLDEN
        .path("templates")
        .path(name)
        .path("special_tokens")
        .properties()
        .forEach(token -> specialTokens.put(token.getKey(), token.getValue().asString()));
    return new ChatTemplate(
        TextGoldens.text(TextGoldens.DIRECTORY.resolve(name).resolve("chat_template.jinja")),
        specialTokens,
        InstantSource.fixed(Instant.parse(GOLDEN.path("now").asString())));
  }

  private static List<ChatMessage> messages(JsonNode array) {
    List<ChatMessage> messages = new ArrayList<>();
    for (JsonNode message : array) {
      messages.add(
          new ChatMessage(message.path("role").asString(), message.path("content").asString()));
    }
    return messages;
  }
}
