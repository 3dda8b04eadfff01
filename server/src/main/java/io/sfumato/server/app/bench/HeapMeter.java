package io.sfumato.server.app.bench;

import com.sun.management.GarbageCollectorMXBean;
import com.sun.management.GcInfo;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The heap of this process that is reachable. Stateless and thread-safe. */
final class HeapMeter {

  private static final int TRIES = 3;

  private HeapMeter() {}

  /**
   * What a full collection leaves, in bytes: the least of three, because others allocate meanwhile.
   *
   * @throws IllegalStateException when the JVM does not collect on request
   */
  static long reachableBytes() {
    List<String> heap =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .map(MemoryPoolMXBean::getName)
            .toList();
    long least = Long.MAX_VALUE;
    for (int count = 0; count < TRIES; count++) {
      least = Math.min(least, collect(heap));
    }
    if (least == Long.MAX_VALUE) {
      throw new IllegalStateException(
          "System.gc: nothing collected (expected: a JVM without -XX:+DisableExplicitGC)");
    }
    return least;
  }

  private static long collect(List<String> heap) {
    List<GarbageCollectorMXBean> collectors =
        ManagementFactory.getPlatformMXBeans(GarbageCollectorMXBean.class);
    Map<String, Long> before = new HashMap<>();
    collectors.forEach(each -> before.put(each.getName(), each.getCollectionCount()));
    System.gc();
    long least = Long.MAX_VALUE;
    for (GarbageCollectorMXBean each : collectors) {
      GcInfo last = each.getLastGcInfo();
      if (last != null && each.getCollectionCount() > before.get(each.getName())) {
        long used =
            heap.stream()
                .filter(last.getMemoryUsageAfterGc()::containsKey)
                .mapToLong(pool -> last.getMemoryUsageAfterGc().get(pool).getUsed())
                .sum();
        least = Math.min(least, used);
      }
    }
    return least;
  }
}
