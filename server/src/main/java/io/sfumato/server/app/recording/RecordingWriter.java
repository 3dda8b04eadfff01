package io.sfumato.server.app.recording;

import com.google.protobuf.Message;
import java.io.IOException;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Writes what is said on a call to a file, one JSON object a line: {@code {"at_ms":12.5,"event":
 * {...}}}, each message as protobuf writes it in JSON. Confined to one thread at a time.
 *
 * <p>A recording that fails does not disturb the call: {@link #close} tells.
 */
public final class RecordingWriter implements AutoCloseable {

  /** Of a recording, in bytes. */
  static final int MOST_BYTES = 64 << 20;

  private final Path file;
  private final OutputStream out;
  private final long most;
  private long written;
  private IOException failure;

  private RecordingWriter(Path file, long most) throws IOException {
    this.file = file;
    this.most = most;
    out = Files.newOutputStream(file);
  }

  /** Begins a recording in place of what the file held. */
  public static RecordingWriter open(Path file) throws IOException {
    return open(file, MOST_BYTES);
  }

  static RecordingWriter open(Path file, long most) throws IOException {
    return new RecordingWriter(file, most);
  }

  /**
   * Adds a line.
   *
   * @param nanos since the request
   * @param message see {@link RecordedLine}
   */
  public void write(long nanos, Message message) {
    if (failure != null) {
      return;
    }
    try {
      byte[] line = line(nanos, message).getBytes(StandardCharsets.UTF_8);
      if (written + line.length > most) {
        throw new IOException(
            "record: "
                + file
                + ": full after "
                + written
                + " bytes (expected: at most "
                + most
                + ")");
      }
      out.write(line);
      written += line.length;
    } catch (IOException e) {
      failure = e;
    }
  }

  private static String line(long nanos, Message message) throws IOException {
    return "{\""
        + LineKind.TIME
        + "\":"
        + BigDecimal.valueOf(nanos, 6).toPlainString()
        + ",\""
        + LineKind.of(message).field()
        + "\":"
        + LineKind.PRINTER.print(message)
        + "}\n";
  }

  /**
   * @throws IOException when not everything was written
   */
  @Override
  public void close() throws IOException {
    out.close();
    if (failure != null) {
      throw failure;
    }
  }
}
