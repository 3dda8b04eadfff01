package io.sfumato.server.verify;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.text.JsonFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/**
 * The recorded outputs of a reference implementation: {@code golden.json} and the arrays of {@code
 * golden.safetensors} beside it. Confined to one thread.
 */
final class GoldenFile {

  private static final long MAX_BYTES = 256 << 20;
  private static final int MAX_CASES = 10_000;
  private static final int MAX_POSITIONS = 1 << 20;

  private final Path directory;
  private final JsonNode root;
  private TensorFile tensors; // once they are asked for

  private GoldenFile(Path directory, JsonNode root) {
    this.directory = directory;
    this.root = root;
  }

  static boolean isIn(Path directory) {
    return Files.isRegularFile(directory.resolve("golden.json"));
  }

  /**
   * @throws ServingException MODEL_CAPABILITY when there is no readable golden.json
   */
  static GoldenFile read(Path directory) {
    return new GoldenFile(
        directory, JsonFiles.readObject(directory.resolve("golden.json"), MAX_BYTES));
  }

  /** Largest absolute error of a logit; 2e-4 where the file names none. */
  double logitTolerance() {
    return root.path("tolerance").path("logits_max_abs").asDouble(2e-4);
  }

  /** Where the two best logits are closer than this, either may be found best. */
  double clearGap() {
    return root.path("tolerance").path("clear_top2_gap").asDouble(1e-3);
  }

  /** The mask of the reference; -1 where the file names none. */
  int maskToken() {
    return root.path("mask_token_id").asInt(root.path("tokens").path("mask").asInt(-1));
  }

  /**
   * @throws ServingException MODEL_CAPABILITY naming the field that is missing or wrong
   */
  List<ForwardCase> forwardCases(int vocabulary) {
    List<ForwardCase> cases = new ArrayList<>();
    for (JsonNode node : list(root, "forward", MAX_CASES)) {
      String name = text(node, "name");
      boolean encoded = node.has("canvas_ids");
      boolean encodes = encoded && node.path("canvas_ids").isEmpty();
      int[] prompt = encoded ? integers(node, "prompt_ids") : new int[0];
      int[] tokens = encodes ? prompt : integers(node, encoded ? "canvas_ids" : "input_ids");
      int blockLength = bounded(node, "block_length");
      int padding = bounded(node, "left_padding");
      long numbers = (long) tokens.length * vocabulary;
      cases.add(
          new ForwardCase(
              name,
              node.path("batch").asString(""),
              tokens,
              encodes,
              encodes ? new int[0] : prompt,
              floats(node, "self_conditioning_logits", numbers),
              blockLength,
              blockLength == 0 ? 0 : padding % blockLength,
              floats(node, "logits", numbers),
              requireLength(node, integers(node, "argmax"), tokens.length),
              requireLength(node, numbers(node, "max_prob"), tokens.length),
              requireLength(node, numbers(node, "entropy"), tokens.length),
              requireLength(node, numbers(node, "top2_gap"), tokens.length)));
    }
    return cases;
  }

  /**
   * @throws ServingException MODEL_CAPABILITY naming the field that is missing or wrong
   */
  List<DecodeTrace> traces() {
    List<DecodeTrace> traces = new ArrayList<>();
    for (JsonNode node : list(root, "traces", MAX_CASES)) {
      JsonNode canvasList = list(node, "canvases", MAX_POSITIONS);
      if (node.has("noise_canvases")) {
        traces.add(uniformTrace(node, canvasList));
        continue;
      }
      int[][] canvases = new int[canvasList.size()][];
      for (int index = 0; index < canvases.length; index++) {
        canvases[index] = integers(canvasList.get(index), "canvases[" + index + "]", "canvases");
      }
      traces.add(
          new DecodeTrace(
              text(node, "name"),
              text(node, "algorithm"),
              node.path("params"),
              integers(node, "prompt"),
              canvases,
              integers(node, "final"),
              new int[0][][]));
    }
    return traces;
  }

  /** Canvases of uniform noise, as a session shows them: what a step has not accepted is open. */
  private DecodeTrace uniformTrace(JsonNode node, JsonNode canvasList) {
    JsonNode parameters = node.path("params");
    int[] prompt = integers(node, "prompt");
    int block = positive(parameters, "canvas_length");
    int steps = positive(parameters, "max_denoising_steps");
    UniformRecord record = new UniformRecord(prompt, positive(parameters, "max_new_tokens"));
    for (JsonNode passes : canvasList) {
      if (!passes.isArray() || passes.size() > steps) {
        throw wrong("canvases", passes.getNodeType(), "lists of at most " + steps + " steps");
      }
      for (JsonNode pass : passes) {
        record.add(
            requireLength(node, integers(pass, "argmax_canvas"), block),
            requireLength(node, integers(pass, "accepted"), block));
      }
      record.endBlock();
    }
    int blocks = Math.ceilDiv(parameters.path("max_new_tokens").asInt(), block);
    JsonNode initialList = list(node, "initial_canvases", blocks);
    int[][] initial = new int[initialList.size()][];
    for (int index = 0; index < initial.length; index++) {
      int[] canvas = integers(initialList.get(index), "initial_canvases", "initial_canvases");
      initial[index] = requireLength(node, canvas, block);
    }
    int[] noise = tensors().integers(text(node, "noise_canvases"), (long) blocks * steps * block);
    return new DecodeTrace(
        text(node, "name"),
        text(node, "algorithm"),
        parameters,
        prompt,
        record.canvases(),
        record.result(
            integers(node, "sequence"), new TraceParameters(parameters).tokens("eos_token_id")),
        UniformRecord.noise(initial, noise, blocks, steps, block));
  }

  private TensorFile tensors() {
    if (tensors == null) {
      tensors = new TensorFile(directory.resolve("golden.safetensors"));
    }
    return tensors;
  }

  /** The array that a field names; null where it names none. */
  private float[] floats(JsonNode node, String name, long numbers) {
    return node.path(name).isString()
        ? tensors().floats(node.path(name).asString(), numbers)
        : null;
  }

  private static JsonNode list(JsonNode node, String name, int most) {
    JsonNode list = node.path(name);
    if (!list.isArray() || list.size() > most) {
      throw wrong(
          name,
          list.isArray() ? list.size() + " entries" : list.getNodeType(),
          "a list of at most " + most);
    }
    return list;
  }

  private static String text(JsonNode node, String name) {
    JsonNode text = node.path(name);
    if (!text.isString()) {
      throw wrong(name, text.getNodeType(), "a text");
    }
    return text.asString();
  }

  private static int[] integers(JsonNode node, String name) {
    return integers(node.path(name), node.path("name").asString("case") + "." + name, name);
  }

  private static int[] integers(JsonNode list, String path, String name) {
    if (!list.isArray() || list.size() > MAX_POSITIONS) {
      throw wrong(
          path,
          list.getNodeType(),
          "a list " + name + " of at most " + MAX_POSITIONS + " integers");
    }
    int[] values = new int[list.size()];
    for (int index = 0; index < values.length; index++) {
      if (!list.get(index).isInt()) {
        throw wrong(path + "[" + index + "]", list.get(index), "an integer");
      }
      values[index] = list.get(index).asInt();
    }
    return values;
  }

  private static int positive(JsonNode node, String name) {
    int value = bounded(node, name);
    if (value < 1) {
      throw wrong(name, node.path(name), "1.." + MAX_POSITIONS);
    }
    return value;
  }

  private static int bounded(JsonNode node, String name) {
    int value = node.path(name).asInt(0);
    if (value < 0 || value > MAX_POSITIONS) {
      throw wrong(name, node.path(name), "0.." + MAX_POSITIONS);
    }
    return value;
  }

  private static double[] numbers(JsonNode node, String name) {
    JsonNode list = list(node, name, MAX_POSITIONS);
    double[] values = new double[list.size()];
    for (int index = 0; index < values.length; index++) {
      if (!list.get(index).isNumber()) {
        throw wrong(name + "[" + index + "]", list.get(index), "a number");
      }
      values[index] = list.get(index).asDouble();
    }
    return values;
  }

  private static int[] requireLength(JsonNode node, int[] values, int length) {
    requireLength(node, values.length, length);
    return values;
  }

  private static double[] requireLength(JsonNode node, double[] values, int length) {
    requireLength(node, values.length, length);
    return values;
  }

  private static void requireLength(JsonNode node, int actual, int length) {
    if (actual != length) {
      throw wrong(
          text(node, "name"), actual + " figures", "one for each of " + length + " positions");
    }
  }

  private static ServingException wrong(String name, Object value, String expected) {
    return new ServingException(
        ErrorReason.MODEL_CAPABILITY,
        "golden.json: " + name + ": " + value + " (expected: " + expected + ")");
  }
}
