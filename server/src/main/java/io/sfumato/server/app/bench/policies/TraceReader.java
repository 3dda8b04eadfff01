package io.sfumato.server.app.bench.policies;

import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Reads a file of candidate traces one by one, as {@link TraceWriter} describes it; every length is
 * checked before anything is allocated for it. Confined to one thread.
 */
final class TraceReader implements AutoCloseable {

  private final Path file;
  private final DataInputStream in;
  private final TraceHeader header;
  private int read;

  /**
   * @throws ServingException INVALID_FIELD when it is no such file
   * @throws IOException when it cannot be read
   */
  TraceReader(Path file) throws IOException {
    this.file = file;
    in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)));
    try {
      header = readHeader();
    } catch (EOFException | IllegalArgumentException problem) {
      in.close();
      throw malformed("header", problem);
    } catch (IOException failure) {
      in.close();
      throw failure;
    }
  }

  private TraceHeader readHeader() throws IOException {
    int magic = in.readInt();
    if (magic != TraceWriter.MAGIC) {
      throw new IllegalArgumentException(
          String.format(Locale.ROOT, "magic: %08x (expected: %08x)", magic, TraceWriter.MAGIC));
    }
    Require.range("version", in.readInt(), TraceWriter.VERSION, TraceWriter.VERSION);
    byte[] digest = new byte[TraceHeader.DIGEST_BYTES];
    in.readFully(digest);
    return new TraceHeader(
        HexFormat.of().formatHex(digest),
        in.readInt(),
        in.readInt(),
        in.readInt(),
        in.readInt(),
        integers("end_of_text tokens", TraceHeader.MOST_END_OF_TEXT_TOKENS),
        in.readInt());
  }

  TraceHeader header() {
    return header;
  }

  /**
   * The next trace, or empty behind the last one.
   *
   * @throws ServingException INVALID_FIELD when it is malformed
   */
  Optional<CandidateTrace> next() throws IOException {
    String place = "trace " + read;
    try {
      if (read == header.traces()) {
        if (in.read() >= 0) {
          place = "end";
          throw new IllegalArgumentException(
              "more bytes (expected: none after " + read + " traces)");
        }
        return Optional.empty();
      }
      CandidateTrace trace = readTrace();
      read++;
      return Optional.of(trace);
    } catch (EOFException | IllegalArgumentException problem) {
      throw malformed(place, problem);
    }
  }

  private CandidateTrace readTrace() throws IOException {
    int[] prompt = integers("prompt tokens", CandidateTrace.LONGEST_PROMPT);
    int count = Require.range("passes", in.readInt(), 1, header.canvasLength());
    List<TracePass> passes = new ArrayList<>(count);
    for (int pass = 0; pass < count; pass++) {
      passes.add(readPass());
    }
    int[] result = integers("result tokens", header.canvasLength());
    return new CandidateTrace(header, prompt, passes, result);
  }

  private TracePass readPass() throws IOException {
    byte[] bits = new byte[TraceWriter.bytes(header)];
    in.readFully(bits);
    int rows = Require.range("rows", in.readInt(), 1, header.windowLength());
    int[] tokens = new int[rows];
    float[] probabilities = new float[rows];
    float[] secondProbabilities = new float[rows];
    float[] entropies = new float[rows];
    for (int row = 0; row < rows; row++) {
      tokens[row] = in.readInt();
      probabilities[row] = in.readFloat();
      secondProbabilities[row] = in.readFloat();
      entropies[row] = in.readFloat();
    }
    return new TracePass(
        BitSet.valueOf(bits), tokens, probabilities, secondProbabilities, entropies);
  }

  private int[] integers(String name, int most) throws IOException {
    int[] integers = new int[Require.range(name, in.readInt(), 0, most)];
    for (int index = 0; index < integers.length; index++) {
      integers[index] = in.readInt();
    }
    return integers;
  }

  private ServingException malformed(String place, Exception problem) {
    String detail =
        problem instanceof EOFException
            ? "end of file (expected: a whole " + place.replaceAll(" .*", "") + ")"
            : problem.getMessage();
    return new ServingException(
        ErrorReason.INVALID_FIELD, file + ": " + place + ": " + detail, problem);
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
