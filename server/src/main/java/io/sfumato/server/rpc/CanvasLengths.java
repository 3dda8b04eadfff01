package io.sfumato.server.rpc;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.FieldViolation;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ModelDefaults;
import io.sfumato.v1.CanvasSpec;
import java.util.List;
import java.util.Map;

/**
 * The lengths of a canvas, checked and with defaults filled in. Immutable.
 *
 * @param canvas tokens on the canvas
 * @param block tokens per block
 * @param window tokens among which a step accepts
 */
record CanvasLengths(int canvas, int block, int window) {

  private static final String ONLY_CANVAS = ", the canvas of a model of uniform noise";

  /**
   * @param path of the spec in its request
   * @param content tokens that the canvas starts from; 0 for an undecided one
   * @param prompt tokens before the canvas
   * @param context tokens that prompt and canvas may have together
   * @throws ServingException CONTEXT_TOO_LONG
   */
  static CanvasLengths read(
      CanvasSpec spec,
      String path,
      ModelDefaults defaults,
      int content,
      int prompt,
      int context,
      Problems problems) {
    int length;
    if (spec.hasMaxLengthTokens()) {
      length =
          Ranges.integer(
              problems,
              path + ".max_length_tokens",
              spec.getMaxLengthTokens(),
              Math.max(1, content),
              Math.max(context, content));
    } else {
      length =
          content > 0
              ? content
              : Math.max(1, Math.min(defaults.maxLengthTokens(), context - prompt));
    }
    if (problems.isEmpty()) {
      checkContext(path, prompt, length, context);
    }
    if (defaults.isUniform()) {
      int only = defaults.blockLength();
      if (spec.hasBlockLengthTokens() && spec.getBlockLengthTokens() != only) {
        problems.capability(
            path + ".block_length_tokens", spec.getBlockLengthTokens(), only + ONLY_CANVAS);
      }
      if (spec.hasWindowLengthTokens() && spec.getWindowLengthTokens() != only) {
        problems.capability(
            path + ".window_length_tokens", spec.getWindowLengthTokens(), only + ONLY_CANVAS);
      }
      return new CanvasLengths(length, only, only);
    }
    // Where blocks are what positions see of each other, the length of the text has no say in it.
    int longest = defaults.blockCausal() ? context : length;
    if (defaults.encodesContext()) {
      longest = Math.min(length, defaults.longestBlock());
    }
    int block = Math.min(defaults.blockLength(), longest);
    if (spec.hasBlockLengthTokens()) {
      block =
          Ranges.integer(
              problems, path + ".block_length_tokens", spec.getBlockLengthTokens(), 1, longest);
    }
    int window = defaults.windowLength() == 0 ? block : Math.min(defaults.windowLength(), block);
    if (spec.hasWindowLengthTokens()) {
      window =
          Ranges.integer(
              problems, path + ".window_length_tokens", spec.getWindowLengthTokens(), 1, block);
    }
    return new CanvasLengths(length, block, window);
  }

  private static void checkContext(String path, int prompt, int length, int context) {
    if ((long) prompt + length > context) {
      String expected =
          "prompt and canvas together at most " + context + " tokens, the prompt has " + prompt;
      String message = "max_length_tokens: " + length + " (expected: " + expected + ")";
      throw new ServingException(
          ErrorReason.CONTEXT_TOO_LONG,
          path + "." + message,
          List.of(new FieldViolation(path + ".max_length_tokens", message)),
          Map.of(
              "prompt_tokens", Integer.toString(prompt),
              "canvas_tokens", Integer.toString(length),
              "max_context_tokens", Integer.toString(context)),
          0,
          null);
    }
  }
}
