package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class PageAllocatorTest {

  @Test
  void aPageIsFreeWhenItsLastOwnerLetsGo() {
    PageAllocator pages = new PageAllocator(3);
    int[] taken = pages.allocate(2);
    assertThat(taken).containsExactly(0, 1);
    pages.retain(0);
    pages.release(0);
    assertThat(pages.free()).isEqualTo(1);
    pages.release(0);
    assertThat(pages.free()).isEqualTo(2);
    pages.check();
  }

  @Test
  void refusesWhatIsNotThere() {
    PageAllocator pages = new PageAllocator(2);
    assertThatIllegalStateException()
        .isThrownBy(() -> pages.allocate(3))
        .withMessageContaining("pages: 3");
    assertThat(pages.free()).isEqualTo(2);
    assertThatIllegalStateException().isThrownBy(() -> pages.release(0));
    assertThatIllegalStateException().isThrownBy(() -> pages.retain(1));
    assertThatIllegalStateException().isThrownBy(() -> pages.release(7));
    pages.check();
  }

  @Test
  void randomUseKeepsEveryPageOnce() {
    Random random = new Random(4);
    PageAllocator pages = new PageAllocator(20);
    List<Integer> owned = new ArrayList<>(); // a page stands here once per owner
    for (int step = 0; step < 20_000; step++) {
      int count = random.nextInt(4);
      switch (random.nextInt(3)) {
        case 0 -> {
          if (count <= pages.free()) {
            for (int page : pages.allocate(count)) {
              assertThat(owned).doesNotContain(page);
              owned.add(page);
            }
          }
        }
        case 1 -> {
          if (!owned.isEmpty() && owned.size() < 100) {
            int page = owned.get(random.nextInt(owned.size()));
            pages.retain(page);
            owned.add(page);
          }
        }
        default -> {
          if (!owned.isEmpty()) {
            int index = random.nextInt(owned.size());
            pages.release(owned.get(index));
            Collections.swap(owned, index, owned.size() - 1);
            owned.removeLast();
          }
        }
      }
      pages.check();
      assertThat(pages.free()).isEqualTo(20 - (int) owned.stream().distinct().count());
    }
  }
}
