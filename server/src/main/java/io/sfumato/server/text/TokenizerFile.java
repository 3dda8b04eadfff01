package io.sfumato.server.text;

import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A Hugging Face {@code tokenizer.json}, read for what the server does with it. Immutable and
 * thread-safe.
 *
 * @param chatJson definition for rendered chat templates: special tokens are recognised, markers of
 *     {@link SpecialTokens} are deleted afterwards
 * @param plainJson definition for plain text: no text is taken for a special token, and nothing is
 *     added at the ends
 * @param pieces the vocabulary as the file spells it, by token id; null where no token has the id
 * @param unknownId the token of what cannot be encoded, which plain text may hold; -1 for none
 * @param decoder the file's decoder, as JSON
 */
record TokenizerFile(
    String chatJson,
    String plainJson,
    String[] pieces,
    SpecialTokens special,
    int unknownId,
    JsonNode decoder) {

  private static final int MAX_VOCABULARY = 1 << 22;

  /**
   * @param json content of tokenizer.json
   * @param furtherSpecialTokens texts that tokenizer_config.json calls special
   * @param furtherSpecialIds ids that config.json calls special; negative ones are skipped
   * @throws io.sfumato.server.error.ServingException MODEL_CAPABILITY when the file is not a
   *     tokenizer
   */
  static TokenizerFile parse(
      String json, Collection<String> furtherSpecialTokens, Collection<Integer> furtherSpecialIds) {
    ObjectNode root = (ObjectNode) JsonFiles.parseObject("tokenizer.json", json);
    Map<Integer, String> special = new LinkedHashMap<>();
    ArrayNode ordinary = JsonNodeFactory.instance.arrayNode();
    for (JsonNode token : root.path("added_tokens")) {
      String content = token.path("content").asString("");
      int id = token.path("id").asInt(-1);
      if (token.path("special").asBoolean(false)
          || furtherSpecialTokens.contains(content)
          || furtherSpecialIds.contains(id)) {
        special.put(id, content);
        if (!inVocabulary(root, content)) {
          ordinary.add(placeholder(token, id));
        }
      } else {
        ordinary.add(token);
      }
    }
    String[] pieces = pieces(root);
    SpecialTokens specialTokens = new SpecialTokens(special, furtherSpecialIds);

    ObjectNode plain = root.deepCopy();
    plain.set("added_tokens", ordinary);
    plain.putNull("post_processor");
    withoutBounds(plain);

    ObjectNode chat = root;
    for (JsonNode token : chat.path("added_tokens")) {
      if (special.containsKey(token.path("id").asInt(-1))) {
        ((ObjectNode) token).put("special", true).put("normalized", false);
      }
    }
    deleteMarkersFirst(chat);
    withoutBounds(chat);
    return new TokenizerFile(
        JsonFiles.write(chat),
        JsonFiles.write(plain),
        pieces,
        specialTokens,
        unknownId(root.path("model"), pieces),
        root.path("decoder"));
  }

  /**
   * The library numbers added tokens that its model does not know one after the other: without the
   * special ones, the others would get their ids.
   */
  private static JsonNode placeholder(JsonNode token, int id) {
    ObjectNode placeholder = ((ObjectNode) token).deepCopy();
    placeholder.put("content", SpecialTokens.MARKER + "special " + id + SpecialTokens.MARKER);
    return placeholder.put("special", false).put("normalized", false);
  }

  private static boolean inVocabulary(JsonNode root, String piece) {
    JsonNode vocabulary = root.path("model").path("vocab");
    if (!vocabulary.isArray()) {
      return vocabulary.has(piece);
    }
    for (JsonNode entry : vocabulary) {
      if (entry.path(0).asString("").equals(piece)) {
        return true;
      }
    }
    return false;
  }

  private static int unknownId(JsonNode model, String[] pieces) {
    if (model.path("unk_id").isInt()) {
      return model.path("unk_id").asInt();
    }
    String unknown = model.path("unk_token").asString("");
    return unknown.isEmpty() ? -1 : Arrays.asList(pieces).indexOf(unknown);
  }

  private static String[] pieces(JsonNode root) {
    Map<Integer, String> byId = new LinkedHashMap<>();
    JsonNode vocabulary = root.path("model").path("vocab");
    if (vocabulary.isArray()) {
      int id = 0;
      for (JsonNode entry : vocabulary) {
        byId.put(id++, entry.path(0).asString(""));
      }
    } else {
      vocabulary
          .properties()
          .forEach(entry -> byId.put(entry.getValue().asInt(-1), entry.getKey()));
    }
    for (JsonNode token : root.path("added_tokens")) {
      byId.put(token.path("id").asInt(-1), token.path("content").asString(""));
    }
    if (byId.isEmpty()) {
      throw JsonFiles.unexpected("tokenizer.json model.vocab", "empty", "at least one token");
    }
    int length = 0;
    for (int id : byId.keySet()) {
      if (id < 0 || id >= MAX_VOCABULARY) {
        throw JsonFiles.unexpected("tokenizer.json token id", id, "0.." + (MAX_VOCABULARY - 1));
      }
      length = Math.max(length, id + 1);
    }
    String[] pieces = new String[length];
    byId.forEach((id, piece) -> pieces[id] = piece);
    return pieces;
  }

  private static void deleteMarkersFirst(ObjectNode root) {
    ObjectNode delete = JsonNodeFactory.instance.objectNode();
    delete.put("type", "Replace");
    delete.putObject("pattern").put("String", String.valueOf(SpecialTokens.MARKER));
    delete.put("content", "");
    JsonNode normalizer = root.path("normalizer");
    ObjectNode sequence = JsonNodeFactory.instance.objectNode();
    sequence.put("type", "Sequence");
    ArrayNode steps = sequence.putArray("normalizers");
    steps.add(delete);
    if (normalizer.isObject()) {
      steps.add(normalizer);
    }
    root.set("normalizer", sequence);
  }

  private static void withoutBounds(ObjectNode root) {
    root.putNull("truncation");
    root.putNull("padding");
  }
}
