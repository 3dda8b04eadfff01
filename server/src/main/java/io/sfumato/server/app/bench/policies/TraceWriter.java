package io.sfumato.server.app.bench.policies;

import java.io.BufferedOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

/**
 * Writes a file of candidate traces. Confined to one thread.
 *
 * <p>Big-endian. Magic, version, digest [32 bytes], vocabulary, canvas, block and window length,
 * end-of-text tokens, number of traces; then for each trace: prompt, passes, result. A list is its
 * length and its elements. A pass is the undecided positions [canvas length / 8 bytes, rounded up,
 * the lowest bit first], the number of rows, and for each row token, probability, probability of
 * the runner-up, entropy. Integers have 32 bits, figures are float32.
 */
final class TraceWriter implements AutoCloseable {

  static final int MAGIC = 0x53465054; // SFPT
  static final int VERSION = 1;

  private final TraceHeader header;
  private final DataOutputStream out;

  TraceWriter(Path file, TraceHeader header) throws IOException {
    this.header = header;
    out = new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file)));
    out.writeInt(MAGIC);
    out.writeInt(VERSION);
    out.write(HexFormat.of().parseHex(header.digest()));
    out.writeInt(header.vocabulary());
    out.writeInt(header.canvasLength());
    out.writeInt(header.blockLength());
    out.writeInt(header.windowLength());
    write(header.endOfTextTokens());
    out.writeInt(header.traces());
  }

  /** To be called as often as the header says. */
  void write(CandidateTrace trace) throws IOException {
    write(trace.promptTokens());
    out.writeInt(trace.passes().size());
    for (TracePass pass : trace.passes()) {
      byte[] bits = new byte[bytes(header)];
      byte[] set = pass.undecided().toByteArray();
      System.arraycopy(set, 0, bits, 0, set.length);
      out.write(bits);
      out.writeInt(pass.rows());
      for (int row = 0; row < pass.rows(); row++) {
        out.writeInt(pass.tokens()[row]);
        out.writeFloat(pass.probability(row));
        out.writeFloat(pass.secondProbability(row));
        out.writeFloat(pass.entropy(row));
      }
    }
    write(trace.result());
  }

  /** Bytes of a set of positions. */
  static int bytes(TraceHeader header) {
    return Math.ceilDiv(header.canvasLength(), Byte.SIZE);
  }

  private void write(int[] integers) throws IOException {
    out.writeInt(integers.length);
    for (int integer : integers) {
      out.writeInt(integer);
    }
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
