package io.sfumato.server.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * Identity of a model directory: SHA-256 over names, sizes and contents of its configuration and
 * weights. Stateless and thread-safe.
 *
 * <p>Of a file above 64 MiB only the first MiB, which holds a safetensors header, and 64 samples of
 * 64 KiB spread evenly are read: enough to tell checkpoints apart without reading them twice, and
 * no protection against a forger.
 */
final class ModelDigest {

  private static final long WHOLE_BYTES = 64L << 20;
  private static final int HEAD_BYTES = 1 << 20;
  private static final int SAMPLE_BYTES = 64 << 10;
  private static final int SAMPLES = 64;

  private ModelDigest() {}

  /** Hexadecimal digest. */
  static String of(Path directory) throws IOException {
    MessageDigest digest = sha256();
    for (Path file : files(directory)) {
      try (FileChannel channel = FileChannel.open(file)) {
        long size = channel.size();
        digest.update((file.getFileName() + "\n" + size + "\n").getBytes(StandardCharsets.UTF_8));
        if (size <= WHOLE_BYTES) {
          update(digest, channel, 0, size);
        } else {
          update(digest, channel, 0, HEAD_BYTES);
          long stride = (size - HEAD_BYTES - SAMPLE_BYTES) / (SAMPLES - 1);
          for (int sample = 0; sample < SAMPLES; sample++) {
            update(digest, channel, HEAD_BYTES + sample * stride, SAMPLE_BYTES);
          }
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  private static List<Path> files(Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream =
        Files.newDirectoryStream(
            directory, "{config,generation_config,tokenizer,tokenizer_config,*.index}.json")) {
      stream.forEach(files::add);
    }
    try (DirectoryStream<Path> stream =
        Files.newDirectoryStream(directory, "{model*.safetensors,chat_template.jinja}")) {
      stream.forEach(files::add);
    }
    files.sort(null);
    return files;
  }

  private static void update(MessageDigest digest, FileChannel channel, long start, long length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(length, HEAD_BYTES));
    long position = start;
    while (position < start + length) {
      buffer.clear().limit((int) Math.min(buffer.capacity(), start + length - position));
      int read = channel.read(buffer, position);
      if (read < 0) {
        return;
      }
      digest.update(buffer.flip());
      position += read;
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
