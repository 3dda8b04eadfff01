package io.sfumato.server.model;

import io.sfumato.engine.AttentionKind;
import io.sfumato.engine.DenoiseEngine;
import io.sfumato.engine.EngineDevice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.engine.EngineOptions;
import io.sfumato.engine.ScriptedEngine;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Model directories with a small tokenizer and no real weights, and an engine that always proposes
 * the same token.
 */
public final class ModelFiles {

  static final int VOCABULARY = 420;
  static final int POSITIONS = 64;
  static final String CONFIG =
      """
      {"model_type": "llada", "max_sequence_length": 64, "vocab_size": 420, "mask_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
      """;
  static final String TOKENIZER_CONFIG =
      """
      {"eos_token": "<|endoftext|>", "mask_token": {"content": "<|mask|>"}, "add_bos_token": false,
       "chat_template": "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}{% endfor %}<|assistant|>"}
      """;

  private ModelFiles() {}

  /** Everything a model has but weights. */
  static Path complete(Path directory) {
    write(directory.resolve("config.json"), CONFIG);
    write(directory.resolve("tokenizer_config.json"), TOKENIZER_CONFIG);
    write(directory.resolve("tokenizer.json"), tokenizerJson());
    write(directory.resolve("model.safetensors"), "weights");
    return directory;
  }

  static void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Opens an engine that proposes token 300 everywhere, surely. */
  static DenoiseEngine open(EngineOptions options) {
    return open(options, () -> {});
  }

  /** The same; calls {@code beforeRun} on every step. */
  static DenoiseEngine open(EngineOptions options, Runnable beforeRun) {
    EngineInfo info =
        new EngineInfo(
            "scripted",
            "none",
            "none",
            VOCABULARY,
            8,
            1,
            POSITIONS,
            -1,
            1,
            2,
            AttentionKind.FULL,
            false,
            false,
            false,
            0,
            1,
            0,
            0,
            0,
            EngineDevice.HOST);
    return new ScriptedEngine(
        info,
        options.limits(),
        (run, batch, candidates) -> {
          beforeRun.run();
          for (int row = 0; row < batch.candidateCount(); row++) {
            candidates.set(row, 300, 1, 300, 1, 0, 0, 1);
          }
        });
  }

  private static String tokenizerJson() {
    try (InputStream stream =
        ModelFiles.class.getResourceAsStream("/io/sfumato/server/text/byte_level.tokenizer.json")) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
