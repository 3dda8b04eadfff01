package io.sfumato.server.app;

import io.sfumato.v1.Chat;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.RefineStart;

/**
 * What a run is called where it is shown. Immutable.
 *
 * @param title what runs
 * @param subtitle on what: one line
 */
record RunTitle(String title, String subtitle) {

  static RunTitle of(GenerateStart start) {
    return new RunTitle("Generate", line(start.getPrompt()));
  }

  static RunTitle of(RefineStart start) {
    return new RunTitle("Refine", line(start.getInstruction()));
  }

  private static String line(Prompt prompt) {
    String text =
        switch (prompt.getContentCase()) {
          case TEXT -> prompt.getText();
          case CHAT -> last(prompt.getChat());
          case TOKEN_IDS -> prompt.getTokenIds().getIdsCount() + " tokens";
          case CONTENT_NOT_SET -> "";
        };
    return text.lines().findFirst().orElse("");
  }

  private static String last(Chat chat) {
    int count = chat.getMessagesCount();
    return count == 0 ? "" : chat.getMessages(count - 1).getContent();
  }
}
