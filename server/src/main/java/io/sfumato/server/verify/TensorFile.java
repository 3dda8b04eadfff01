package io.sfumato.server.verify;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.text.JsonFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.databind.JsonNode;

/**
 * The float32 and int32 arrays of a safetensors file, each read when asked for. Immutable;
 * thread-safe.
 */
final class TensorFile {

  private static final long MAX_HEADER_BYTES = 16 << 20;
  private static final long MAX_TENSOR_BYTES = 1 << 30;

  private final Path file;
  private final JsonNode header;
  private final long dataStart;
  private final long dataLength;

  /**
   * @throws ServingException MODEL_CAPABILITY when the header is missing, too long or not what the
   *     file holds
   */
  TensorFile(Path file) {
    this.file = file;
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      long headerLength = channel.size() < 8 ? -1 : read(channel, 0, 8).getLong();
      if (headerLength < 2 || headerLength > Math.min(MAX_HEADER_BYTES, channel.size() - 8)) {
        throw wrong(
            "header length", headerLength, "2.." + Math.min(MAX_HEADER_BYTES, channel.size() - 8));
      }
      String json = StandardCharsets.UTF_8.decode(read(channel, 8, (int) headerLength)).toString();
      header = JsonFiles.parseObject(file.getFileName().toString(), json);
      dataStart = 8 + headerLength;
      dataLength = channel.size() - dataStart;
    } catch (IOException failure) {
      throw unreadable(failure);
    }
  }

  /**
   * One array, row after row.
   *
   * @param length number of elements that is expected
   * @throws ServingException MODEL_CAPABILITY when it is not there, not float32 or of another size
   */
  float[] floats(String name, long length) {
    ByteBuffer bytes = read(name, "F32", length);
    float[] values = new float[(int) length];
    bytes.asFloatBuffer().get(values);
    return values;
  }

  /**
   * As {@link #floats}, of 32-bit integers.
   *
   * @throws ServingException MODEL_CAPABILITY when it is not there, not int32 or of another size
   */
  int[] integers(String name, long length) {
    ByteBuffer bytes = read(name, "I32", length);
    int[] values = new int[(int) length];
    bytes.asIntBuffer().get(values);
    return values;
  }

  private ByteBuffer read(String name, String type, long length) {
    JsonNode tensor = header.path(name);
    if (!tensor.isObject()) {
      throw wrong(name, "absent", "a tensor");
    }
    if (!tensor.path("dtype").asString("").equals(type)) {
      throw wrong(name + ".dtype", tensor.path("dtype"), type);
    }
    long start = tensor.path("data_offsets").path(0).asLong(-1);
    long end = tensor.path("data_offsets").path(1).asLong(-1);
    if (start < 0
        || end < start
        || end > dataLength
        || end - start != 4 * length
        || end - start > MAX_TENSOR_BYTES) {
      throw wrong(
          name + ".data_offsets",
          tensor.path("data_offsets"),
          4 * length + " bytes within " + dataLength);
    }
    try (SeekableByteChannel channel = Files.newByteChannel(file)) {
      return read(channel, dataStart + start, (int) (end - start));
    } catch (IOException failure) {
      throw unreadable(failure);
    }
  }

  private static ByteBuffer read(SeekableByteChannel channel, long position, int length)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    channel.position(position);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new IOException(
            "end of file at " + channel.position() + " (expected: " + (position + length) + ")");
      }
    }
    return bytes.flip();
  }

  private ServingException wrong(String name, Object value, String expected) {
    return new ServingException(
        ErrorReason.MODEL_CAPABILITY,
        file.getFileName() + ": " + name + ": " + value + " (expected: " + expected + ")");
  }

  private ServingException unreadable(IOException failure) {
    return new ServingException(
        ErrorReason.MODEL_CAPABILITY,
        file.getFileName() + ": " + failure + " (expected: a readable file)",
        failure);
  }
}
