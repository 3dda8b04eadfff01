package io.sfumato.server.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

class ChatTemplateTest {

  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.parse("2026-03-05T14:07:09Z"));
  private static final Map<String, String> TOKENS =
      Map.of("bos_token", "<bos>", "eos_token", "<eos>");

  @Test
  void rendersAsTheReferenceDoes() {
    int cases = 0;
    for (JsonNode golden : TextFixtures.golden("chat_templates")) {
      ChatTemplate template = new ChatTemplate(golden.path("template").asString(), TOKENS, CLOCK);
      for (JsonNode each : golden.path("cases")) {
        List<ChatMessage> messages = messages(each.path("messages"));
        String name = golden.path("name").asString() + " " + messages;
        if (each.has("error")) {
          assertThatThrownBy(() -> template.render(messages))
              .as(name)
              .isInstanceOfSatisfying(
                  ServingException.class,
                  e -> assertThat(e.reason()).isEqualTo(ErrorReason.INVALID_FIELD))
              .hasMessageContaining(each.path("error").asString());
        } else {
          assertThat(template.render(messages)).as(name).isEqualTo(each.path("text").asString());
        }
        cases++;
      }
    }
    assertThat(cases).isEqualTo(16);
  }

  @Test
  void refusesWhatIsNoTemplate() {
    assertThatThrownBy(() -> new ChatTemplate("{% for m in %}", TOKENS, CLOCK))
        .isInstanceOfSatisfying(
            ServingException.class,
            e -> assertThat(e.reason()).isEqualTo(ErrorReason.MODEL_CAPABILITY))
        .hasMessageStartingWith("chat_template: ");
  }

  @Test
  void workIsBounded() {
    ChatTemplate endless =
        new ChatTemplate(
            "{% for a in range(100000) %}{% for b in range(100000) %}{% set x = a + b %}{% endfor"
                + " %}{% endfor %}",
            TOKENS, CLOCK);
    assertThatThrownBy(() -> endless.render(List.of()))
        .hasMessageContaining("instructions: more than");
    assertThatThrownBy(() -> new ChatTemplate("{{ " + "(".repeat(100_000) + "1", TOKENS, CLOCK))
        .isInstanceOf(ServingException.class);
  }

  @Test
  void scriptsSeeNoJava() {
    ChatTemplate template =
        new ChatTemplate("{{ java is defined }} {{ Packages is defined }}", TOKENS, CLOCK);
    assertThat(template.render(List.of())).isEqualTo("false false");
  }

  @Test
  void formatsTimes() {
    ChatTemplate template =
        new ChatTemplate(
            "{{ strftime_now('%Y-%m-%d %H:%M:%S %j %-d %-m %B %b %A %a %I %p %y %% %Q') }}",
            TOKENS, CLOCK);
    assertThat(template.render(List.of()))
        .isEqualTo("2026-03-05 14:07:09 064 5 3 March Mar Thursday Thu 02 PM 26 % %Q");
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
