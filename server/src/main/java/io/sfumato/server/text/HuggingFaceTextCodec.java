package io.sfumato.server.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * Hugging Face's tokenizer of one model, with its chat template. Thread-safe.
 *
 * <p>Two tokenizers are made of one {@code tokenizer.json}: one for plain text, which knows no
 * special tokens, and one for rendered chats, in which special tokens that stand in a message are
 * marked and so stay text.
 */
public final class HuggingFaceTextCodec implements TextCodec, AutoCloseable {

  private static final Pattern ROLE = Pattern.compile("[A-Za-z0-9_.-]{1,64}");
  private static final Map<String, String> OPTIONS =
      Map.of("addSpecialTokens", "false", "padding", "false", "truncation", "false");

  private final TokenizerFile file;
  private final TokenBytes bytes;
  private final HuggingFaceTokenizer plain;
  private final HuggingFaceTokenizer chat;
  private final Optional<ChatTemplate> template;

  /**
   * @param tokenizerJson content of tokenizer.json
   * @param specialTokens texts that tokenizer_config.json calls special
   * @param specialIds ids that config.json calls special; negative ones are skipped
   * @param template empty for a model without one
   * @throws ServingException MODEL_CAPABILITY when tokenizer.json cannot be used
   */
  public HuggingFaceTextCodec(
      String tokenizerJson,
      Collection<String> specialTokens,
      Collection<Integer> specialIds,
      Optional<ChatTemplate> template) {
    file = TokenizerFile.parse(tokenizerJson, specialTokens, specialIds);
    bytes = TokenBytes.of(file);
    plain = open(file.plainJson());
    chat = open(file.chatJson());
    this.template = template;
  }

  @Override
  public int[] encode(String text) {
    return checked(ids(plain, text), 0, text);
  }

  @Override
  public int[] encodeChat(List<ChatMessage> messages, String assistantPrefix) {
    ChatTemplate present =
        template.orElseThrow(() ->
            new ServingException(
                ErrorReason.MODEL_CAPABILITY,
                "chat_template: none (expected: a model with a chat template)"));
    List<ChatMessage> protectedMessages = new ArrayList<>();
    for (int index = 0; index < messages.size(); index++) {
      ChatMessage message = messages.get(index);
      String path = "messages[" + index + "]";
      if (!ROLE.matcher(message.role()).matches()) {
        throw ServingException.invalidField(
            path + ".role", message.role(), "1 to 64 letters, digits, '_', '.' or '-'");
      }
      protectedMessages.add(
          new ChatMessage(message.role(), protect(path + ".content", message.content())));
    }
    String rendered =
        present.render(protectedMessages) + protect("assistant_prefix", assistantPrefix);
    return checked(ids(chat, rendered), file.special().find(rendered).size(), rendered);
  }

  @Override
  public boolean hasChatTemplate() {
    return template.isPresent();
  }

  @Override
  public String decode(int[] tokens) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (int token : tokens) {
      joined.writeBytes(bytes.get(token));
    }
    return Utf8.decode(joined.toByteArray(), 0, joined.size());
  }

  @Override
  public byte[] bytes(int token) {
    return bytes.get(token).clone();
  }

  @Override
  public boolean isSpecial(int token) {
    return file.special().contains(token);
  }

  @Override
  public int vocabulary() {
    return bytes.vocabulary();
  }

  /** Id of the special token with the given text. */
  public OptionalInt specialId(String text) {
    for (int id = 0; id < file.pieces().length; id++) {
      if (file.special().contains(id) && text.equals(file.pieces()[id])) {
        return OptionalInt.of(id);
      }
    }
    return OptionalInt.empty();
  }

  @Override
  public void close() {
    plain.close();
    chat.close();
  }

  private String protect(String path, String text) {
    int marker = text.indexOf(SpecialTokens.MARKER);
    if (marker >= 0) {
      throw ServingException.invalidField(path, "U+FDD0 at " + marker, "no noncharacters");
    }
    return file.special().protect(text);
  }

  private static int[] ids(HuggingFaceTokenizer tokenizer, String text) {
    Encoding encoding = tokenizer.encode(text, false, false);
    long[] ids = encoding.getIds();
    int[] result = new int[ids.length];
    for (int index = 0; index < ids.length; index++) {
      result[index] = (int) ids[index];
    }
    return result;
  }

  /**
   * Vocabularies that hold a special token as an ordinary word, too, cannot write its string as
   * plain text.
   */
  private int[] checked(int[] ids, int expectedSpecial, String text) {
    int special = 0;
    for (int id : ids) {
      if (file.special().contains(id) && id != file.unknownId()) {
        special++;
      }
    }
    if (special != expectedSpecial) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "special tokens in text: "
              + special
              + " (expected: "
              + expectedSpecial
              + ", this tokenizer has no plain spelling of "
              + String.join(
                  ", ", file.special().find(text.replace(String.valueOf(SpecialTokens.MARKER), "")))
              + ")");
    }
    return ids;
  }

  private static HuggingFaceTokenizer open(String json) {
    TokenizerLibrary.prepare();
    try {
      return HuggingFaceTokenizer.newInstance(
          new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)), OPTIONS);
    } catch (IOException | RuntimeException e) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "tokenizer.json: " + e.getMessage() + " (expected: a Hugging Face tokenizer)",
          e);
    }
  }
}
