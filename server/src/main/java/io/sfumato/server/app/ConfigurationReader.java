package io.sfumato.server.app;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.ProductType;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.JsonSection;
import io.sfumato.server.model.ModelSource;
import io.sfumato.server.rpc.RpcSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.yaml.YAMLMapper;

/**
 * Reads a server's configuration: a YAML file, over which flags have been written. Stateless and
 * thread-safe.
 *
 * <pre>{@code
 * listen: 127.0.0.1:7411
 * models:
 *   - name: sfumato-tales
 *     directory: models/default    # relative to the file
 *     threads: 0
 *     products: auto               # auto, f32, bf16, int8, fp8, int4, fp8_inputs
 *     device: auto                 # auto, cpu, cuda, cuda:N
 *     slots: 16
 *     batch_tokens: 0
 *     queue_capacity: 256
 *     prefix_cache_tokens: 65536   # 0: none; absent: as many as the pages hold
 *     mask_token_id: 5             # only for models whose files name none
 *     approximate_cache_mebibytes: 1024   # for families whose positions all see each other; 0: none
 * rpc:
 *   threads: 4
 *   max_inbound_message_bytes: 4194304
 *   max_calls_per_connection: 256
 *   permit_keep_alive_interval: 20s
 *   keep_alive_interval: 60s
 *   keep_alive_timeout: 20s
 *   max_connection_age: 30m
 *   max_connection_age_grace: 5m
 *   handshake_timeout: 10s
 *   max_resets_per_window: 200
 * drain:
 *   finish: 20s
 *   grace: 5s
 * }</pre>
 */
final class ConfigurationReader {

  static final String USUAL_ADDRESS = "127.0.0.1:7411";

  private static final YAMLMapper YAML =
      YAMLMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
  private static final long MAX_FILE_BYTES = 1 << 20;
  private static final Pattern ADDRESS =
      Pattern.compile("(\\[[0-9A-Fa-f:.]+]|[^:\\s]*):(\\d{1,5})");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._/-]{0,127}");
  private static final int MAX_THREADS = 256;

  private ConfigurationReader() {}

  /**
   * Parses a YAML file without looking at its keys.
   *
   * @throws ServingException INVALID_FIELD when it cannot be read or is not YAML
   */
  static ObjectNode parse(Path file) {
    try {
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw invalid(
            file + ": " + Files.size(file) + " bytes (expected: at most " + MAX_FILE_BYTES + ")");
      }
      JsonNode node = YAML.readTree(Files.readString(file));
      if (node.isMissingNode() || node.isNull()) {
        return JsonNodeFactory.instance.objectNode();
      }
      if (!node.isObject()) {
        throw invalid(file + ": " + node.getNodeType() + " (expected: keys and values)");
      }
      return (ObjectNode) node;
    } catch (IOException e) {
      throw invalid(file + ": " + e + " (expected: a readable file)");
    } catch (JacksonException e) {
      throw invalid(file + ": " + e.getOriginalMessage() + " (expected: YAML)");
    }
  }

  /**
   * @param base what directories are relative to
   * @throws ServingException INVALID_FIELD with everything that is wrong, one problem per line
   */
  static ServerConfiguration read(ObjectNode root, Path base) {
    List<String> problems = new ArrayList<>();
    JsonSection configuration = new JsonSection("", root, problems);
    InetSocketAddress address = address(configuration);
    RpcSettings rpc = rpc(configuration.section("rpc"), RpcSettings.defaults(address));
    List<ModelSource> models = models(configuration, base);
    Drain drain = drain(configuration.section("drain"));
    configuration.refuseOthers();
    if (!problems.isEmpty()) {
      throw invalid(String.join("\n", problems));
    }
    return new ServerConfiguration(rpc, models, drain);
  }

  private static InetSocketAddress address(JsonSection configuration) {
    String text = configuration.text("listen").orElse(USUAL_ADDRESS);
    Matcher matcher = ADDRESS.matcher(text);
    if (matcher.matches() && Integer.parseInt(matcher.group(2)) <= 65_535) {
      String host = matcher.group(1);
      int port = Integer.parseInt(matcher.group(2));
      return host.isEmpty() ? new InetSocketAddress(port) : new InetSocketAddress(host, port);
    }
    configuration.unexpected("listen", text, "HOST:PORT, or :PORT for all interfaces");
    return new InetSocketAddress(0);
  }

  private static RpcSettings rpc(JsonSection section, RpcSettings usual) {
    Duration shortest = Duration.ofMillis(1);
    Duration longest = Duration.ofDays(1);
    RpcSettings settings =
        new RpcSettings(
            usual.address(),
            section.integer("threads", 1, MAX_THREADS, usual.threads()),
            section.integer(
                "max_inbound_message_bytes", 1024, 1 << 30, usual.maxInboundMessageBytes()),
            section.integer("max_calls_per_connection", 1, 1 << 20, usual.maxCallsPerConnection()),
            section.duration(
                "permit_keep_alive_interval", shortest, longest, usual.permitKeepAliveInterval()),
            section.duration("keep_alive_interval", shortest, longest, usual.keepAliveInterval()),
            section.duration("keep_alive_timeout", shortest, longest, usual.keepAliveTimeout()),
            section.duration("max_connection_age", shortest, longest, usual.maxConnectionAge()),
            section.duration(
                "max_connection_age_grace", shortest, longest, usual.maxConnectionAgeGrace()),
            section.duration("handshake_timeout", shortest, longest, usual.handshakeTimeout()),
            section.integer("max_resets_per_window", 1, 1 << 20, usual.maxResetsPerWindow()));
    section.refuseOthers();
    return settings;
  }

  private static List<ModelSource> models(JsonSection configuration, Path base) {
    List<ModelSource> models = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (JsonSection section : configuration.sections("models")) {
      String name = section.text("name").orElse("");
      if (!NAME.matcher(name).matches()) {
        section.unexpected(
            "name",
            name.isEmpty() ? "absent" : name,
            "letters, digits, '.', '_', '/' or '-', at most 128");
      } else if (!names.add(name)) {
        section.unexpected("name", name, "a name that no other model has");
      }
      String directory = section.text("directory").orElse("");
      if (directory.isEmpty()) {
        section.unexpected("directory", "absent", "a model directory");
      }
      models.add(
          new ModelSource(
              name,
              base.resolve(directory).normalize(),
              section.integer("threads", 0, MAX_THREADS, 0),
              section.choice("products", ProductType.class, ProductType.AUTO),
              device(section),
              section.integer("slots", 1, 1024, ModelSource.USUAL_SLOTS),
              section.integer("batch_tokens", 0, 1 << 20, 0),
              section.integer("queue_capacity", 0, 100_000, ModelSource.USUAL_QUEUE_CAPACITY),
              section.integer(
                  "prefix_cache_tokens",
                  0,
                  Integer.MAX_VALUE,
                  ModelSource.USUAL_PREFIX_CACHE_TOKENS),
              section.token("mask_token_id").orElse(-1),
              section.integer(
                  "approximate_cache_mebibytes", 0, 1 << 20, ModelSource.USUAL_APPROXIMATE_CACHE)));
      section.refuseOthers();
    }
    if (models.isEmpty()) {
      configuration.unexpected("models", "none", "at least one model");
    }
    return models;
  }

  private static DeviceChoice device(JsonSection section) {
    String text = section.text("device").orElse("auto");
    return DeviceChoice.parse(text)
        .orElseGet(() -> {
          section.unexpected("device", text, DeviceChoice.FORMS);
          return DeviceChoice.AUTO;
        });
  }

  private static Drain drain(JsonSection section) {
    Drain drain =
        new Drain(
            section.duration("finish", Duration.ZERO, Duration.ofHours(1), Drain.USUAL.finish()),
            section.duration("grace", Duration.ZERO, Duration.ofHours(1), Drain.USUAL.grace()));
    section.refuseOthers();
    return drain;
  }

  private static ServingException invalid(String message) {
    return new ServingException(ErrorReason.INVALID_FIELD, message);
  }
}
