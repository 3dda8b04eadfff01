package io.sfumato.server.text;

import java.util.List;

/** Text to token ids and back, for one model. Thread-safe. */
public interface TextCodec {

  /**
   * Encodes plain text: strings that look like special tokens become ordinary tokens, nothing is
   * added at the ends.
   */
  int[] encode(String text);

  /**
   * Renders the model's chat template and encodes it; special tokens of the template are special,
   * those in the contents are not.
   *
   * @param assistantPrefix how the answer begins; may be empty
   * @throws io.sfumato.server.error.ServingException MODEL_CAPABILITY when the model has no chat
   *     template, INVALID_FIELD when the template refuses the conversation
   */
  int[] encodeChat(List<ChatMessage> messages, String assistantPrefix);

  /** Whether the model has a chat template. */
  boolean hasChatTemplate();

  /** Text of the tokens, special tokens left out. Incomplete code points come as U+FFFD. */
  String decode(int[] tokens);

  /**
   * UTF-8 bytes that one token stands for; empty for special tokens. Bytes of consecutive tokens
   * concatenate to the text.
   */
  byte[] bytes(int token);

  /** Whether the token is one of the model's special tokens. */
  boolean isSpecial(int token);

  /** Number of token ids the tokenizer knows. */
  int vocabulary();
}
