package io.sfumato.server.rpc;

import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.text.ChatMessage;
import io.sfumato.server.text.TextCodec;
import io.sfumato.v1.Chat;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.TokenIds;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Reads prompts into token ids, with a model's tokenizer and chat template. Pure. */
final class PromptReader {

  private static final int MOST_MESSAGES = 1024;
  private static final int LONGEST_ROLE = 64;
  private static final int[] NO_TOKENS = {};

  private PromptReader() {}

  /**
   * @param path of the prompt in its request
   * @param assistantPrefix how the answer begins; may be empty
   * @param prefixPath of the prefix in its request
   * @return the tokens; none when something is wrong
   */
  static int[] read(
      Prompt prompt,
      String path,
      String assistantPrefix,
      String prefixPath,
      ServedModel model,
      Problems problems) {
    return switch (prompt.getContentCase()) {
      case TEXT ->
          join(
              encode(prompt.getText(), path + ".text", model, problems),
              assistantPrefix.isEmpty()
                  ? NO_TOKENS
                  : encode(assistantPrefix, prefixPath, model, problems));
      case CHAT -> chat(prompt.getChat(), path + ".chat", assistantPrefix, model, problems);
      case TOKEN_IDS -> {
        if (!assistantPrefix.isEmpty()) {
          problems.invalid(
              prefixPath, quoted(assistantPrefix), "empty with " + path + ".token_ids");
        }
        yield tokens(prompt.getTokenIds(), path + ".token_ids", model, problems);
      }
      case CONTENT_NOT_SET -> {
        problems.invalid(path, "absent", "text, chat or token_ids");
        yield NO_TOKENS;
      }
    };
  }

  /** Token ids of a request, checked against the vocabulary; none when one is wrong. */
  static int[] tokens(TokenIds ids, String path, ServedModel model, Problems problems) {
    int[] tokens = ids.getIdsList().stream().mapToInt(Integer::intValue).toArray();
    Ranges.tokens(problems, path + ".ids", tokens, model.engine().vocabulary());
    return problems.isEmpty() ? tokens : NO_TOKENS;
  }

  /** The tokens of a text; none when something is wrong. */
  static int[] encode(String text, String path, ServedModel model, Problems problems) {
    TextCodec codec = codec(path, model, problems);
    if (codec == null) {
      return NO_TOKENS;
    }
    try {
      return codec.encode(text);
    } catch (ServingException refusal) {
      problems.refused(path, refusal);
      return NO_TOKENS;
    }
  }

  /** The model's tokenizer, or null, and then the problem is reported. */
  static TextCodec codec(String path, ServedModel model, Problems problems) {
    if (model.text().isEmpty()) {
      problems.capability(path, "set", "token ids, the model has no tokenizer");
      return null;
    }
    return model.text().get();
  }

  private static int[] chat(
      Chat chat, String path, String assistantPrefix, ServedModel model, Problems problems) {
    TextCodec codec = codec(path, model, problems);
    Ranges.count(
        problems, path + ".messages", chat.getMessagesCount(), "messages", 1, MOST_MESSAGES);
    for (int index = 0; index < chat.getMessagesCount(); index++) {
      Ranges.length(
          problems,
          path + ".messages[" + index + "].role",
          chat.getMessages(index).getRole(),
          1,
          LONGEST_ROLE);
    }
    if (codec != null && !codec.hasChatTemplate()) {
      problems.capability(path, "set", "text, the model has no chat template");
    }
    if (!problems.isEmpty()) {
      return NO_TOKENS;
    }
    List<ChatMessage> messages = new ArrayList<>();
    for (io.sfumato.v1.ChatMessage message : chat.getMessagesList()) {
      messages.add(new ChatMessage(message.getRole(), message.getContent()));
    }
    try {
      return codec.encodeChat(messages, assistantPrefix);
    } catch (ServingException refusal) {
      problems.refused(path, refusal);
      return NO_TOKENS;
    }
  }

  private static int[] join(int[] first, int[] second) {
    return IntStream.concat(IntStream.of(first), IntStream.of(second)).toArray();
  }

  private static String quoted(String text) {
    int most = 80;
    return '"' + (text.length() <= most ? text : text.substring(0, most) + "...") + '"';
  }
}
