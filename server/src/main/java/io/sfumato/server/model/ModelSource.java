package io.sfumato.server.model;

import io.sfumato.engine.DeviceChoice;
import io.sfumato.engine.ProductType;
import java.nio.file.Path;

/**
 * A model to serve and how much of the machine it may use. Immutable.
 *
 * @param name as clients ask for it
 * @param directory Hugging Face layout
 * @param threads of the engine; 0 for one per core
 * @param products number format of the matrix products
 * @param device where it is computed
 * @param slots sessions that run at the same time
 * @param batchTokens tokens of one step, all sessions together; 0 for as many as all slots need, at
 *     most {@link #USUAL_BATCH_TOKENS}, but always one whole context, or canvas of uniform noise
 * @param queueCapacity sessions that may wait for a slot
 * @param prefixCacheTokens most tokens that ended sessions leave in the key-value pages for others
 *     that begin with them; 0 so that no session finds anything of another
 * @param maskTokenId for models whose files name none; -1 otherwise
 * @param approximateCacheMebibytes memory for approximate caches, of families that have them; 0 for
 *     none
 */
public record ModelSource(
    String name,
    Path directory,
    int threads,
    ProductType products,
    DeviceChoice device,
    int slots,
    int batchTokens,
    int queueCapacity,
    int prefixCacheTokens,
    int maskTokenId,
    int approximateCacheMebibytes) {

  public static final int USUAL_SLOTS = 16;
  public static final int USUAL_BATCH_TOKENS = 8192;
  public static final int USUAL_QUEUE_CAPACITY = 256;
  public static final int USUAL_APPROXIMATE_CACHE = 1024;

  /** As many as the pages hold. */
  public static final int USUAL_PREFIX_CACHE_TOKENS = Integer.MAX_VALUE;

  /** A model with everything else as usual. */
  public static ModelSource of(String name, Path directory) {
    return new ModelSource(
        name,
        directory,
        0,
        ProductType.AUTO,
        DeviceChoice.AUTO,
        USUAL_SLOTS,
        0,
        USUAL_QUEUE_CAPACITY,
        USUAL_PREFIX_CACHE_TOKENS,
        -1,
        USUAL_APPROXIMATE_CACHE);
  }

  /** The same model, computed in another way. */
  public ModelSource computedBy(ProductType otherProducts, DeviceChoice otherDevice) {
    return new ModelSource(
        name,
        directory,
        threads,
        otherProducts,
        otherDevice,
        slots,
        batchTokens,
        queueCapacity,
        prefixCacheTokens,
        maskTokenId,
        approximateCacheMebibytes);
  }

  long approximateCacheBytes() {
    return (long) approximateCacheMebibytes << 20;
  }
}
