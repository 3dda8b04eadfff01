package io.sfumato.server.app.bench;

import io.sfumato.v1.Chat;
import io.sfumato.v1.ChatMessage;
import io.sfumato.v1.Finished;
import io.sfumato.v1.Prompt;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One held-out request of a benchmark.
 *
 * @param kind what is asked for, e.g. {@code story} or {@code sum}
 * @param request the user's turn
 * @param reference the right answer for exact tasks, one possible answer for stories
 */
public record BenchRequest(String kind, String request, String reference) {

  private static final int MAX_REQUESTS = 100_000;

  /**
   * Reads requests, one JSON object per line.
   *
   * @param kinds kinds to keep; empty for all
   * @param limit requests to keep per kind; 0 for all
   * @throws IOException naming the line, when one is not a request
   */
  public static List<BenchRequest> read(Path file, List<String> kinds, int limit)
      throws IOException {
    List<BenchRequest> requests = new ArrayList<>();
    int number = 0;
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        number++;
        if (line.isBlank()) {
          continue;
        }
        BenchRequest request = parse(line, file + ":" + number);
        long same = requests.stream().filter(each -> each.kind().equals(request.kind())).count();
        if ((kinds.isEmpty() || kinds.contains(request.kind())) && (limit == 0 || same < limit)) {
          requests.add(request);
        }
        if (requests.size() > MAX_REQUESTS) {
          throw new IOException(file + ": more than " + MAX_REQUESTS + " requests");
        }
      }
    }
    if (requests.isEmpty()) {
      throw new IOException(file + ": no requests of kinds " + kinds);
    }
    return requests;
  }

  private static BenchRequest parse(String line, String place) throws IOException {
    try {
      JsonNode node = JsonMapper.shared().readTree(line);
      return new BenchRequest(
          node.required("kind").asString(),
          node.required("request").asString(),
          node.required("reference").asString());
    } catch (JacksonException malformed) {
      throw new IOException(
          place
              + ": "
              + malformed.getOriginalMessage()
              + " (expected: an object with kind, request and reference)",
          malformed);
    }
  }

  /** The request as a conversation. */
  Prompt prompt() {
    ChatMessage message = ChatMessage.newBuilder().setRole("user").setContent(request).build();
    return Prompt.newBuilder().setChat(Chat.newBuilder().addMessages(message)).build();
  }

  /** What came of it, as models/recipe/score.py reads it. */
  ObjectNode row(Finished finished) {
    ObjectNode row = JsonMapper.shared().createObjectNode();
    row.put("kind", kind);
    row.put("request", request);
    row.put("reference", reference);
    row.put("text", finished.getText());
    row.put("passes", finished.getUsage().getForwardPasses());
    row.put("revisions", finished.getUsage().getRevisions());
    row.put("tokens", finished.getUsage().getCommittedTokens());
    row.put("token_forwards", finished.getUsage().getTokenForwards());
    ArrayNode ids = row.putArray("token_ids");
    finished.getTokenIdsList().forEach(ids::add);
    return row;
  }
}
