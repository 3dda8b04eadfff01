package io.sfumato.server.app.bench.policies;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The figures of all settings, as tables and as rows of a plot. Confined to one thread. */
final class PolicyTable {

  private final PolicyTally reference;
  private final Map<PolicySetting, PolicyTally> replayed = new LinkedHashMap<>();
  private final Map<PolicySetting, PolicyTally> decoded = new LinkedHashMap<>();

  PolicyTable(int canvasLength) {
    reference = new PolicyTally(canvasLength);
  }

  /** The recorded runs. */
  PolicyTally reference() {
    return reference;
  }

  /** From the traces; to be filled. */
  Map<PolicySetting, PolicyTally> replayed() {
    return replayed;
  }

  /** By the model, of some settings; to be filled. */
  Map<PolicySetting, PolicyTally> decoded() {
    return decoded;
  }

  /** Prints one Markdown table, and a second one where the model was run. */
  void print(PrintWriter out) {
    out.println("| policy | setting | passes | tokens that agree | texts that agree |");
    out.println("|---|---|---|---|---|");
    row(out, "reference", "", reference);
    replayed.forEach((setting, tally) -> row(out, setting.name(), setting.parameter(), tally));
    if (decoded.isEmpty()) {
      return;
    }
    out.println();
    out.println(
        "| policy | setting | passes: replayed, decoded | tokens that agree: replayed, decoded |"
            + " texts that agree: replayed, decoded |");
    out.println("|---|---|---|---|---|");
    decoded.forEach((setting, measured) -> {
      PolicyTally predicted = replayed.get(setting);
      out.printf(
          Locale.ROOT,
          "| %s | %s | %.1f, %.1f | %.3f, %.3f | %.3f, %.3f |%n",
          setting.name(),
          setting.parameter(),
          predicted.passes(),
          measured.passes(),
          predicted.agreement(),
          measured.agreement(),
          predicted.sameTexts(),
          measured.sameTexts());
    });
  }

  private static void row(PrintWriter out, String policy, String setting, PolicyTally tally) {
    out.printf(
        Locale.ROOT,
        "| %s | %s | %.1f | %.3f | %.3f |%n",
        policy,
        setting,
        tally.passes(),
        tally.agreement(),
        tally.sameTexts());
  }

  /** Writes one JSON line per setting and way of running it. */
  void write(Path file) throws IOException {
    try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(file))) {
      out.println(json("reference", "", "reference", reference));
      replayed.forEach((setting, tally) ->
          out.println(json(setting.name(), setting.parameter(), "replayed", tally)));
      decoded.forEach((setting, tally) ->
          out.println(json(setting.name(), setting.parameter(), "decoded", tally)));
    }
  }

  private static String json(String policy, String setting, String run, PolicyTally tally) {
    ObjectNode row = JsonMapper.shared().createObjectNode();
    row.put("policy", policy);
    row.put("setting", setting);
    row.put("run", run);
    row.put("texts", tally.texts());
    row.put("passes", tally.passes());
    row.put("token_agreement", tally.agreement());
    row.put("text_agreement", tally.sameTexts());
    return JsonMapper.shared().writeValueAsString(row);
  }
}
