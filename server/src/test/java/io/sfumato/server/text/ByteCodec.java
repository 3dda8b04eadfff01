package io.sfumato.server.text;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.io.ByteArrayOutputStream;
import java.util.List;

/**
 * A codec for tests: token n is byte n, up to 255; then come the special tokens {@link #END},
 * {@link #MASK} and {@link #TURN}. A conversation is each message after a TURN token, role and
 * content separated by a colon, and a last TURN.
 */
public final class ByteCodec implements TextCodec {

  public static final int END = 256;
  public static final int MASK = 257;
  public static final int TURN = 258;
  public static final int VOCABULARY = 259;

  @Override
  public int[] encode(String text) {
    if (text.indexOf(0) >= 0) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY, "text: with U+0000 (expected: without)");
    }
    byte[] bytes = text.getBytes(UTF_8);
    int[] tokens = new int[bytes.length];
    for (int index = 0; index < bytes.length; index++) {
      tokens[index] = bytes[index] & 0xff;
    }
    return tokens;
  }

  @Override
  public int[] encodeChat(List<ChatMessage> messages, String assistantPrefix) {
    java.util.stream.IntStream.Builder tokens = java.util.stream.IntStream.builder();
    for (ChatMessage message : messages) {
      if (message.role().equals("nobody")) {
        throw new ServingException(
            ErrorReason.INVALID_FIELD, "role: nobody (expected: a role of the chat template)");
      }
      tokens.add(TURN);
      for (int token : encode(message.role() + ":" + message.content())) {
        tokens.add(token);
      }
    }
    tokens.add(TURN);
    for (int token : encode(assistantPrefix)) {
      tokens.add(token);
    }
    return tokens.build().toArray();
  }

  @Override
  public boolean hasChatTemplate() {
    return true;
  }

  @Override
  public String decode(int[] tokens) {
    ByteArrayOutputStream joined = new ByteArrayOutputStream();
    for (int token : tokens) {
      joined.writeBytes(bytes(token));
    }
    return joined.toString(UTF_8);
  }

  @Override
  public byte[] bytes(int token) {
    return token < 256 ? new byte[] {(byte) token} : new byte[0];
  }

  @Override
  public boolean isSpecial(int token) {
    return token >= 256;
  }

  @Override
  public int vocabulary() {
    return VOCABULARY;
  }
}
