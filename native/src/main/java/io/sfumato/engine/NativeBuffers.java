package io.sfumato.engine;

import io.sfumato.engine.binding.Buffers;
import io.sfumato.engine.binding.EngineHandle;
import io.sfumato.engine.binding.Item;
import io.sfumato.engine.binding.Sfumato;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;

/**
 * The arrays that the native core shares with Java: steps go in, candidates come out, copied in
 * bulk and without allocation.
 *
 * <p>Views of native memory that the core owns: not to be touched after its close. Confined to the
 * engine thread.
 */
final class NativeBuffers {

  private final EngineLimits limits;
  private final Item items;
  private final IntBuffer tokens;
  private final IntBuffer candidateRows;
  private final IntBuffer candidateTokens;
  private final IntBuffer pages;
  private final IntBuffer tokenLists;
  private final IntBuffer sampledToken;
  private final FloatBuffer sampledProbability;
  private final IntBuffer bestToken;
  private final FloatBuffer bestProbability;
  private final FloatBuffer secondProbability;
  private final FloatBuffer entropy;
  private final FloatBuffer inputProbability;
  private final IntBuffer topTokens;
  private final FloatBuffer topProbabilities;

  NativeBuffers(EngineHandle handle, EngineLimits limits) {
    this.limits = limits;
    try (Buffers buffers = new Buffers()) {
      buffers.struct_size(buffers.sizeof());
      NativeEngine.require(Sfumato.sfumato_get_buffers(handle, buffers), handle);
      int rows = limits.candidates();
      int alternatives = Math.multiplyExact(rows, limits.topCandidates());
      items = buffers.items();
      tokens = view(buffers.tokens(), limits.batchTokens());
      candidateRows = view(buffers.candidate_rows(), rows);
      candidateTokens = view(buffers.candidate_tokens(), rows);
      pages = view(buffers.pages(), buffers.pages_capacity());
      tokenLists = view(buffers.token_lists(), buffers.token_lists_capacity());
      sampledToken = view(buffers.sampled_token(), rows);
      sampledProbability = view(buffers.sampled_probability(), rows);
      bestToken = view(buffers.best_token(), rows);
      bestProbability = view(buffers.best_probability(), rows);
      secondProbability = view(buffers.second_probability(), rows);
      entropy = view(buffers.entropy(), rows);
      inputProbability = view(buffers.input_probability(), rows);
      topTokens = view(buffers.top_tokens(), alternatives);
      topProbabilities = view(buffers.top_probabilities(), alternatives);
    }
  }

  private static IntBuffer view(IntPointer pointer, long length) {
    return length == 0
        ? IntBuffer.allocate(0)
        : new IntPointer(pointer).capacity(length).asBuffer();
  }

  private static FloatBuffer view(FloatPointer pointer, long length) {
    return length == 0
        ? FloatBuffer.allocate(0)
        : new FloatPointer(pointer).capacity(length).asBuffer();
  }

  /**
   * Copies a step into the core's arrays.
   *
   * @throws EngineException INVALID_ARGUMENT when it has more of anything than there is room for
   */
  void write(StepBatch batch) {
    requireRoom("items", batch.itemCount(), limits.items());
    requireRoom("tokens", batch.tokenCount(), tokens.capacity());
    requireRoom("candidates", batch.candidateCount(), candidateRows.capacity());
    requireRoom("pages", batch.pageCount(), pages.capacity());
    tokens.put(0, batch.tokens(), 0, batch.tokenCount());
    candidateRows.put(0, batch.candidateRows(), 0, batch.candidateCount());
    candidateTokens.put(0, batch.candidateTokens(), 0, batch.candidateCount());
    pages.put(0, batch.pages(), 0, batch.pageCount());
    int listed = 0;
    for (int index = 0; index < batch.itemCount(); index++) {
      listed = write(batch.item(index), index, listed);
    }
  }

  private int write(StepItem item, int index, int listed) {
    int suppressed = item.suppressedTokens().length;
    int unconfident = item.unconfidentTokens().length;
    requireRoom("token_lists", listed + suppressed + unconfident, tokenLists.capacity());
    tokenLists.put(listed, item.suppressedTokens());
    tokenLists.put(listed + suppressed, item.unconfidentTokens());
    items.position(index);
    items.kind(item.kind().ordinal());
    items.slot(item.slot());
    items.first_position(item.firstPosition());
    items.token_offset(item.tokenOffset());
    items.token_count(item.tokenCount());
    items.candidate_offset(item.candidateOffset());
    items.candidate_count(item.candidateCount());
    items.page_offset(item.pageOffset());
    items.page_count(item.pageCount());
    items.context_tokens(item.contextTokens());
    items.block(item.block());
    items.step(item.step());
    items.seed(item.seed());
    items.temperature(item.temperature());
    items.guidance_item(item.guidanceItem());
    items.guidance_scale(item.guidanceScale());
    items.flags(
        (item.temperedProbabilities() ? Sfumato.SFUMATO_FLAG_TEMPERED_PROBABILITIES : 0)
            | (item.shiftedLogits() ? Sfumato.SFUMATO_FLAG_SHIFTED_LOGITS : 0));
    items.top_count(item.topCount());
    items.suppressed_offset(listed);
    items.suppressed_count(suppressed);
    items.unconfident_offset(listed + suppressed);
    items.unconfident_count(unconfident);
    items.block_length(item.blockLength());
    items.block_offset(item.blockOffset());
    items.commit_tokens(item.commitTokens());
    items.following_tokens(item.followingTokens());
    return listed + suppressed + unconfident;
  }

  /** Copies the candidates of the first rows out of the core's arrays. */
  void read(int rows, Candidates candidates) {
    candidates.read(
        rows,
        sampledToken,
        sampledProbability,
        bestToken,
        bestProbability,
        secondProbability,
        entropy,
        inputProbability,
        topTokens,
        topProbabilities);
  }

  private static void requireRoom(String name, int count, int capacity) {
    if (count > capacity) {
      throw new EngineException(
          EngineStatus.INVALID_ARGUMENT, name + ": " + count + " (expected: <= " + capacity + ")");
    }
  }
}
