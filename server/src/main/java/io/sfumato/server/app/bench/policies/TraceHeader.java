package io.sfumato.server.app.bench.policies;

import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.session.Attending;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.Template;
import java.util.OptionalLong;

/**
 * What all traces of a file have in common. Immutable by convention: the array is not changed.
 *
 * @param digest of the model that proposed, 64 hexadecimal digits
 * @param vocabulary token ids are 0..vocabulary-1
 * @param canvasLength positions of every canvas
 * @param blockLength positions that are committed together
 * @param windowLength positions from the block's first undecided one among which a step accepts
 * @param endOfTextTokens tokens that end a text; may be empty
 * @param traces how many there are
 */
record TraceHeader(
    String digest,
    int vocabulary,
    int canvasLength,
    int blockLength,
    int windowLength,
    int[] endOfTextTokens,
    int traces) {

  static final int DIGEST_BYTES = 32;
  static final int MOST_VOCABULARY = 1 << 24;
  static final int LONGEST_CANVAS = 4096;
  static final int MOST_END_OF_TEXT_TOKENS = 64;
  static final int MOST_TRACES = 10_000;

  private static final int[] NO_TOKENS = {};

  /**
   * @throws IllegalArgumentException naming what is out of range
   */
  TraceHeader {
    Require.range("digest digits", digest.length(), 2 * DIGEST_BYTES, 2 * DIGEST_BYTES);
    Require.range("vocabulary", vocabulary, 1, MOST_VOCABULARY);
    Require.range("canvas_length", canvasLength, 1, LONGEST_CANVAS);
    Require.range("block_length", blockLength, 1, canvasLength);
    Require.range("window_length", windowLength, 1, blockLength);
    Require.range("end_of_text tokens", endOfTextTokens.length, 0, MOST_END_OF_TEXT_TOKENS);
    Require.tokens("end_of_text", endOfTextTokens, vocabulary);
    Require.range("traces", traces, 1, MOST_TRACES);
  }

  /** The session that the reference and every policy are run with. */
  SessionSpec session(int[] promptTokens, PolicySetting setting) {
    return new SessionSpec(
        promptTokens,
        CanvasStart.undecided(canvasLength),
        Attending.FULL,
        CacheMode.NONE,
        Template.NONE,
        blockLength,
        windowLength,
        setting.sampling(blockLength),
        endOfTextTokens,
        NO_TOKENS,
        0,
        "",
        Long.MAX_VALUE,
        OptionalLong.empty(),
        "");
  }
}
