package io.sfumato.server.model;

import java.util.List;

/** How large the keys and values of a model are, from its config. Pure functions. */
final class ContextSize {

  private static final int MOST_LAYERS = 1 << 10;
  private static final int MOST_HEADS = 1 << 16;

  private ContextSize() {}

  /** Bytes of one token in F32, all layers together. */
  static long tokenBytes(JsonSection config) {
    int layers = either(config, "num_hidden_layers", "n_layers", MOST_LAYERS, 1);
    int queryHeads = either(config, "num_attention_heads", "n_heads", MOST_HEADS, 1);
    int usualSize = either(config, "hidden_size", "d_model", 1 << 20, 1) / queryHeads;
    int headSize = config.integer("head_dim", 1, MOST_HEADS, Math.max(1, usualSize));
    int heads = either(config, "num_key_value_heads", "n_kv_heads", MOST_HEADS, queryHeads);
    // Full layers among sliding ones may have heads of their own, written in one of two forms.
    int fullHeads = config.integer("num_global_key_value_heads", 1, MOST_HEADS, heads);
    int fullSize = config.integer("global_head_dim", 1, MOST_HEADS, headSize);
    List<String> types = config.texts("layer_types");
    JsonSection own = config.section("per_layer_config");
    long numbers = 0;
    for (int layer = 0; layer < layers; layer++) {
      boolean full = layer < types.size() && types.get(layer).equals("full_attention");
      JsonSection section = own.section(Integer.toString(layer));
      long layerHeads =
          section.integer("num_key_value_heads", 1, MOST_HEADS, full ? fullHeads : heads);
      numbers +=
          layerHeads * section.integer("head_dim", 1, MOST_HEADS, full ? fullSize : headSize);
    }
    return 2L * Float.BYTES * numbers;
  }

  /** A number under the usual name or under LLaDA's. */
  private static int either(JsonSection config, String name, String other, int high, int absent) {
    return config.integer(name, 1, high, config.integer(other, 1, high, absent));
  }
}
