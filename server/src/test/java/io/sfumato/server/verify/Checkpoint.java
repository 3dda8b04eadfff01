package io.sfumato.server.verify;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** A model directory whose weights can be saved otherwise. Immutable. */
final class Checkpoint {

  /** Saved as they are, in bfloat16, or in float32 with the values that bfloat16 would have. */
  enum Weights {
    SAME,
    BF16,
    F32_OF_BF16
  }

  private record Tensor(String type, JsonNode shape, byte[] data) {}

  private static final JsonMapper MAPPER = new JsonMapper();

  /** DiffusionGemma's, whose scale is rounded to the format of the table. */
  private static final String SCALED_EMBEDDING = "model.decoder.embed_tokens.weight";

  private static final String INDEX = "model.safetensors.index.json";

  private final Path directory;
  private final Map<String, Tensor> tensors = new TreeMap<>();

  Checkpoint(Path directory) throws IOException {
    this.directory = directory;
    for (Path file : list(directory)) {
      if (isWeights(file) && !file.endsWith(INDEX)) {
        read(file);
      }
    }
  }

  /**
   * Writes the weights and copies the other files.
   *
   * @param shards 1 for one model.safetensors, more for files with an index
   */
  void save(Path target, Weights weights, int shards) throws IOException {
    for (Path file : list(directory)) {
      if (!isWeights(file)) {
        Files.copy(file, target.resolve(file.getFileName()));
      }
    }
    List<Map<String, Tensor>> parts = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      parts.add(new LinkedHashMap<>());
    }
    int next = 0;
    for (Map.Entry<String, Tensor> each : tensors.entrySet()) {
      parts.get(next++ % shards).put(each.getKey(), converted(each, weights));
    }
    if (shards == 1) {
      write(target.resolve("model.safetensors"), parts.get(0));
      return;
    }
    ObjectNode index = JsonNodeFactory.instance.objectNode();
    index.putObject("metadata");
    ObjectNode files = index.putObject("weight_map");
    for (int shard = 0; shard < shards; shard++) {
      String name = String.format("model-%05d-of-%05d.safetensors", shard + 1, shards);
      write(target.resolve(name), parts.get(shard));
      parts.get(shard).keySet().forEach(tensor -> files.put(tensor, name));
    }
    Files.writeString(target.resolve(INDEX), MAPPER.writeValueAsString(index));
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  private static boolean isWeights(Path file) {
    return file.getFileName().toString().matches("model.*\\.safetensors(\\.index\\.json)?");
  }

  private void read(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[(int) bytes.getLong()];
    bytes.get(header);
    int start = bytes.position();
    MAPPER
        .readTree(header)
        .properties()
        .forEach(each -> {
          JsonNode tensor = each.getValue();
          JsonNode offsets = tensor.path("data_offsets");
          if (offsets.isArray()) {
            byte[] data = new byte[offsets.path(1).asInt() - offsets.path(0).asInt()];
            bytes.get(start + offsets.path(0).asInt(), data);
            tensors.put(
                each.getKey(),
                new Tensor(tensor.path("dtype").asString(), tensor.path("shape"), data));
          }
        });
  }

  private static void write(Path file, Map<String, Tensor> part) throws IOException {
    ObjectNode header = JsonNodeFactory.instance.objectNode();
    header.putObject("__metadata__").put("format", "pt");
    int end = 0;
    for (Map.Entry<String, Tensor> each : part.entrySet()) {
      ObjectNode tensor = header.putObject(each.getKey());
      tensor.put("dtype", each.getValue().type()).set("shape", each.getValue().shape());
      tensor.putArray("data_offsets").add(end).add(end + each.getValue().data().length);
      end += each.getValue().data().length;
    }
    String json = MAPPER.writeValueAsString(header);
    json += " ".repeat(Math.floorMod(-json.length(), 8));
    byte[] text = json.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + end).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(text.length).put(text);
    part.values().forEach(tensor -> bytes.put(tensor.data()));
    Files.write(file, bytes.array());
  }

  private static Tensor converted(Map.Entry<String, Tensor> entry, Weights weights) {
    Tensor tensor = entry.getValue();
    if (weights == Weights.SAME || !tensor.type().equals("F32")) {
      return tensor;
    }
    ByteBuffer from = ByteBuffer.wrap(tensor.data()).order(ByteOrder.LITTLE_ENDIAN);
    boolean half = weights == Weights.BF16 || entry.getKey().equals(SCALED_EMBEDDING);
    ByteBuffer to =
        ByteBuffer.allocate(tensor.data().length / (half ? 2 : 1)).order(ByteOrder.LITTLE_ENDIAN);
    while (from.hasRemaining()) {
      short rounded = bfloat16(from.getFloat());
      if (half) {
        to.putShort(rounded);
      } else {
        to.putInt(rounded << 16);
      }
    }
    return new Tensor(half ? "BF16" : "F32", tensor.shape(), to.array());
  }

  /** The nearest bfloat16; of two equally near ones the even one. */
  static short bfloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }
}
