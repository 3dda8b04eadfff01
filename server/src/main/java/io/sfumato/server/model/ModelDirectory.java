package io.sfumato.server.model;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.schedule.ContextPages;
import io.sfumato.server.text.JsonFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * The text files of a model directory in Hugging Face's layout, each read up to a bound. Immutable
 * and thread-safe.
 *
 * @param family {@code model_type} of config.json; what else is read of it stands in its {@code
 *     text_config} where there is one
 * @param maxPositions longest sequence the model knows
 * @param leastBatchTokens that a step must be able to hold: one whole context, or what a model
 *     denoises together that encodes its context
 * @param keepsBlocks whether finished blocks are kept in key-value pages
 * @param tokenBytes keys and values of one token in F32, all layers together
 * @param maskTokenId -1 when config.json names none
 * @param generation generation_config.json; empty when there is none
 * @param tokenizerJson content of tokenizer.json; empty for a model that is served by token ids
 * @param namedTokens special tokens by the name that chat templates know, e.g. {@code bos_token}
 * @param specialTokens all special tokens that tokenizer_config.json names
 * @param chatTemplate Jinja
 */
record ModelDirectory(
    Path path,
    String family,
    int maxPositions,
    int leastBatchTokens,
    boolean keepsBlocks,
    long tokenBytes,
    int maskTokenId,
    int[] endOfTextTokens,
    List<Integer> specialIds,
    JsonNode generation,
    Optional<String> tokenizerJson,
    Map<String, String> namedTokens,
    Set<String> specialTokens,
    Optional<String> chatTemplate) {

  private static final long MAX_CONFIG_BYTES = 1 << 20;
  private static final long MAX_TOKENIZER_CONFIG_BYTES = 8 << 20;
  private static final long MAX_TOKENIZER_BYTES = 128 << 20;
  private static final int MAX_POSITIONS = 1 << 20;

  /**
   * @throws ServingException MODEL_CAPABILITY with everything that is wrong, one problem per line
   */
  static ModelDirectory read(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new ServingException(
          ErrorReason.MODEL_CAPABILITY,
          "directory: " + directory + " (expected: a directory with a config.json)");
    }
    List<String> problems = new ArrayList<>();
    JsonSection config =
        new JsonSection(
            "config.json",
            JsonFiles.readObject(directory.resolve("config.json"), MAX_CONFIG_BYTES),
            problems);
    String family = config.text("model_type").orElse("");
    if (family.isEmpty()) {
      config.unexpected("model_type", "absent", "the name of a model family");
    }
    JsonSection root = config;
    if (root.has("text_config")) {
      config = root.section("text_config"); // of a model that also sees or hears
    }
    int positions = config.integer("max_sequence_length", 1, MAX_POSITIONS, 0);
    if (positions == 0) {
      positions = config.integer("max_position_embeddings", 1, MAX_POSITIONS, 0);
    }
    if (positions == 0 && problems.isEmpty()) {
      config.unexpected("max_position_embeddings", "absent", "1.." + MAX_POSITIONS);
    }
    int leastBatchTokens =
        family.equals("nemotron_labs_diffusion")
            ? config.integer("block_size", 1, MAX_POSITIONS, 32)
            : root.integer("canvas_length", 1, MAX_POSITIONS, positions);
    int mask = config.token("mask_token_id").orElse(-1);
    int pad = config.token("pad_token_id").orElse(-1);
    int[] configEnds = (root.has("eos_token_id") ? root : config).tokens("eos_token_id");
    JsonNode generation =
        optionalJson(directory.resolve("generation_config.json"), MAX_CONFIG_BYTES);
    int[] ends =
        new JsonSection("generation_config.json", generation, problems).tokens("eos_token_id");
    ends = ends == null ? configEnds : ends;
    boolean toldBlockCausal =
        generation.path("sfumato").path("attention").asString("").equals("block_causal");
    boolean keepsBlocks = ContextPages.areUsedBy(family, toldBlockCausal);
    long tokenBytes = ContextSize.tokenBytes(config);

    JsonNode tokenizerConfig =
        optionalJson(directory.resolve("tokenizer_config.json"), MAX_TOKENIZER_CONFIG_BYTES);
    Map<String, String> namedTokens = namedTokens(tokenizerConfig);
    Set<String> specialTokens = new LinkedHashSet<>(namedTokens.values());
    for (JsonNode token : tokenizerConfig.path("additional_special_tokens")) {
      specialTokens.add(tokenText(token));
    }
    Optional<String> template =
        optionalText(directory.resolve("chat_template.jinja"), MAX_CONFIG_BYTES);
    if (template.isEmpty()) {
      template = chatTemplate(tokenizerConfig.path("chat_template"));
    }
    if (!problems.isEmpty()) {
      throw new ServingException(ErrorReason.MODEL_CAPABILITY, String.join("\n", problems));
    }
    List<Integer> specialIds = new ArrayList<>(List.of(mask, pad));
    for (int end : ends == null ? new int[0] : ends) {
      specialIds.add(end);
    }
    return new ModelDirectory(
        directory,
        family,
        positions,
        leastBatchTokens,
        keepsBlocks,
        tokenBytes,
        mask,
        ends == null ? new int[0] : ends,
        List.copyOf(specialIds),
        generation,
        optionalText(directory.resolve("tokenizer.json"), MAX_TOKENIZER_BYTES),
        namedTokens,
        specialTokens,
        template);
  }

  private static Map<String, String> namedTokens(JsonNode tokenizerConfig) {
    Map<String, String> tokens = new LinkedHashMap<>();
    tokenizerConfig
        .properties()
        .forEach(entry -> {
          String text = tokenText(entry.getValue());
          if (entry.getKey().endsWith("_token") && !text.isEmpty()) {
            tokens.put(entry.getKey(), text);
          }
        });
    return tokens;
  }

  /** A token is written as a string or as an object with its content. */
  private static String tokenText(JsonNode token) {
    return token.isString() ? token.asString() : token.path("content").asString("");
  }

  /** One template, or a list of named ones of which the default one counts. */
  private static Optional<String> chatTemplate(JsonNode node) {
    if (node.isString()) {
      return Optional.of(node.asString());
    }
    for (JsonNode each : node) {
      if (each.path("name").asString("").equals("default")) {
        return Optional.of(each.path("template").asString(""));
      }
    }
    return Optional.empty();
  }

  private static JsonNode optionalJson(Path file, long maxBytes) {
    return Files.exists(file)
        ? JsonFiles.readObject(file, maxBytes)
        : JsonNodeFactory.instance.objectNode();
  }

  private static Optional<String> optionalText(Path file, long maxBytes) {
    return Files.exists(file) ? Optional.of(JsonFiles.readText(file, maxBytes)) : Optional.empty();
  }
}
