package io.sfumato.server.app.recording;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.v1.Status;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.math.BigDecimal;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Reads what {@link RecordingWriter} wrote. Confined to one thread. */
public final class RecordingReader {

  private static final BigDecimal MOST_MILLIS = BigDecimal.valueOf(7L * 24 * 3600 * 1000);
  private static final int LAST_CODE = 16; // of google.rpc.Code
  private static final String FIELDS =
      Arrays.stream(LineKind.values()).map(LineKind::field).collect(Collectors.joining(", "));
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS).build();

  private final Path file;
  private final List<RecordedLine> lines = new ArrayList<>();

  private RecordingReader(Path file) {
    this.file = file;
  }

  /**
   * Reads a recording.
   *
   * @return at least one line: first the request, then the others in the order of their times
   * @throws ServingException INVALID_FIELD, {@code FILE:LINE: ...}, when it is malformed
   */
  public static List<RecordedLine> read(Path file) throws IOException {
    RecordingReader reader = new RecordingReader(file);
    try (BufferedReader text =
        new BufferedReader(new InputStreamReader(content(file), UTF_8.newDecoder()))) {
      for (String line = text.readLine(); line != null; line = text.readLine()) {
        reader.add(line);
      }
    } catch (CharacterCodingException e) {
      throw reader.malformed("text: not UTF-8 (expected: JSON)");
    }
    if (reader.lines.isEmpty()) {
      throw reader.malformed("no line (expected: generate or refine)");
    }
    return List.copyOf(reader.lines);
  }

  /** All of it, so that neither a device nor a pipe is read without end. */
  private static InputStream content(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new ServingException(
          ErrorReason.INVALID_FIELD, file + ": a directory (expected: a recording)");
    }
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(RecordingWriter.MOST_BYTES + 1);
      if (bytes.length > RecordingWriter.MOST_BYTES) {
        throw new ServingException(
            ErrorReason.INVALID_FIELD,
            file
                + ": more than "
                + RecordingWriter.MOST_BYTES
                + " bytes (expected: at most so many)");
      }
      return new ByteArrayInputStream(bytes);
    }
  }

  private void add(String line) {
    JsonNode json = json(line);
    long nanos = nanos(json);
    LineKind kind = kind(json);
    if (kind.isRequest() != lines.isEmpty()) {
      throw malformed(
          kind.field()
              + (lines.isEmpty()
                  ? ": first (expected: generate or refine)"
                  : ": once more (expected: only in the first line)"));
    }
    if (!lines.isEmpty() && lines.getLast().message() instanceof Status) {
      throw malformed(kind.field() + ": after status (expected: nothing)");
    }
    lines.add(new RecordedLine(lines.size() + 1, nanos, message(kind, json)));
  }

  private JsonNode json(String line) {
    JsonNode json;
    try {
      json = MAPPER.readTree(line);
    } catch (JacksonException e) {
      throw malformed(e.getOriginalMessage() + " (expected: a JSON object)");
    }
    if (!json.isObject() || json.size() != 2) {
      throw malformed(
          "(expected: a JSON object of " + LineKind.TIME + " and one of " + FIELDS + ")");
    }
    return json;
  }

  private long nanos(JsonNode json) {
    JsonNode time = json.path(LineKind.TIME);
    BigDecimal earliest = BigDecimal.valueOf(lines.isEmpty() ? 0 : lines.getLast().nanos(), 6);
    if (time.isNumber()) {
      BigDecimal millis = time.decimalValue();
      if (millis.compareTo(earliest) >= 0 && millis.compareTo(MOST_MILLIS) <= 0) {
        return millis.movePointRight(6).longValue();
      }
    }
    throw malformed(
        LineKind.TIME
            + ": "
            + (time.isMissingNode() ? "none" : time)
            + " (expected: "
            + earliest.stripTrailingZeros().toPlainString()
            + ".."
            + MOST_MILLIS
            + ")");
  }

  private LineKind kind(JsonNode json) {
    for (LineKind kind : LineKind.values()) {
      if (json.has(kind.field())) {
        return kind;
      }
    }
    throw malformed(
        String.join(", ", json.propertyNames())
            + " (expected: "
            + LineKind.TIME
            + " and one of "
            + FIELDS
            + ")");
  }

  private Message message(LineKind kind, JsonNode json) {
    Message.Builder message = kind.builder();
    try {
      LineKind.PARSER.merge(json.get(kind.field()).toString(), message);
    } catch (InvalidProtocolBufferException e) {
      throw malformed(kind.field() + ": " + e.getMessage());
    }
    if (message instanceof Status.Builder status
        && (status.getCode() < 0 || status.getCode() > LAST_CODE)) {
      throw malformed("status.code: " + status.getCode() + " (expected: 0.." + LAST_CODE + ")");
    }
    return message.build();
  }

  private ServingException malformed(String problem) {
    return malformed(file, lines.size() + 1, problem);
  }

  /** What is wrong in which line, {@code FILE:LINE: problem}. */
  public static ServingException malformed(Path file, int number, String problem) {
    return new ServingException(ErrorReason.INVALID_FIELD, file + ":" + number + ": " + problem);
  }
}
