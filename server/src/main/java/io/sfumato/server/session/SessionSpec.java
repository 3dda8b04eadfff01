package io.sfumato.server.session;

import io.sfumato.server.canvas.CanvasStart;
import io.sfumato.server.sampling.SamplingSpec;
import java.util.OptionalLong;

/**
 * Everything a session needs to know, checked and with all defaults filled in: token ids only, no
 * text.
 *
 * @param promptTokens context before the canvas; a mask token in it stays a prompt
 * @param start what stands on the canvas before the first step; its length is max_length_tokens,
 *     exactly
 * @param attending which positions see each other
 * @param cache what steps take over from earlier ones where positions all see each other
 * @param template slots of the canvas; {@link Template#NONE} for free text
 * @param blockLength positions that are committed together, from left to right; the last block may
 *     be shorter, and where positions attend in blocks, the first one
 * @param windowLength positions, counted from the first undecided one of the block, among which
 *     candidates are accepted; at least the block length for no window
 * @param endOfTextTokens a decided token of these, with everything before it decided, ends the
 *     canvas; may be empty
 * @param stopTokens like end-of-text, but reported as a stop
 * @param alternatives most probable tokens that come with each position of a canvas; 0 for none
 * @param cacheSalt whose keys and values the session may find in the cache, and who may find its
 *     own: sessions with the same salt
 * @param deadlineNanos the call's deadline on the server's clock ({@code NanoClock});
 *     Long.MAX_VALUE for none
 * @param softDeadlineNanos time from the session's arrival until its best guess is to be committed
 * @param tag the client's own name of the session, for logs; may be empty
 */
public record SessionSpec(
    int[] promptTokens,
    CanvasStart start,
    Attending attending,
    CacheMode cache,
    Template template,
    int blockLength,
    int windowLength,
    SamplingSpec sampling,
    int[] endOfTextTokens,
    int[] stopTokens,
    int alternatives,
    String cacheSalt,
    long deadlineNanos,
    OptionalLong softDeadlineNanos,
    String tag) {

  /** Whether the token is one of the end-of-text tokens. */
  boolean isEndOfText(int token) {
    return contains(endOfTextTokens, token);
  }

  /** Whether the token is one of the stop tokens. */
  boolean isStop(int token) {
    return contains(stopTokens, token);
  }

  private static boolean contains(int[] tokens, int token) {
    for (int each : tokens) {
      if (each == token) {
        return true;
      }
    }
    return false;
  }

  /** Whether undecided positions hold random tokens rather than the mask. */
  public boolean isUniform() {
    return sampling.uniform().isPresent();
  }

  /** Positions of prompt and canvas together. */
  public int sequenceLength() {
    return promptTokens.length + start.length();
  }

  /** Positions of the first block: where positions attend in blocks, up to a border of theirs. */
  int firstBlockLength() {
    return attending.isFull() || attending.encodesContext()
        ? blockLength
        : blockLength - (promptTokens.length + attending.blockOffset()) % blockLength;
  }

  /** Whether what is finished stays in key-value pages, so that later steps need not send it. */
  public boolean keepsContext() {
    return !attending.isFull() && sampling.guidanceScale() == 0;
  }

  /**
   * Tokens of the prompt that may be in the pages before the first step: where the last one's row
   * is about the first token of the canvas, that one is read again.
   */
  public int reusableTokens() {
    boolean seeds = attending.encodesContext() && !isUniform();
    return Math.max(0, promptTokens.length - (seeds ? 1 : 0));
  }

  /** Whether the session needs key-value pages for its whole sequence. */
  public boolean usesPages() {
    return keepsContext() || cache != CacheMode.NONE;
  }

  /** Tokens that a step of the session usually sends, guidance apart. */
  public int usualTokens() {
    if (keepsContext()) {
      int denoised = attending.encodesContext() ? blockLength : attending.blockLength();
      return Math.min(denoised, sequenceLength());
    }
    return switch (cache) {
      case NONE -> sequenceLength();
      case PREFIX -> start.length();
      case DUAL -> Math.min(blockLength, start.length());
    };
  }
}
