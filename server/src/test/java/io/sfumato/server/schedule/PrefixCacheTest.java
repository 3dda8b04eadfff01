package io.sfumato.server.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.sfumato.engine.EngineLimits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PrefixCacheTest {

  private static final int PAGE_TOKENS = 4;

  private final PageAllocator pages = new PageAllocator(8);
  private final PrefixCache cache = cache(pages, 8, Integer.MAX_VALUE);

  private static PrefixCache cache(PageAllocator pages, int count, int mostTokens) {
    return new PrefixCache(
        pages, new EngineLimits(1, 1, 64, 64, 1, count, PAGE_TOKENS), mostTokens);
  }

  /** Takes pages for a prompt and one page more, and fills those of the prompt. */
  private HeldPages read(Specs specs) {
    HeldPages held = take(specs);
    int[] prompt = specs.build().promptTokens();
    cache.share(held, prompt.length, position -> prompt[position]);
    return held;
  }

  private HeldPages take(Specs specs) {
    int length = specs.build().promptTokens().length;
    return cache.take(specs.build(), Math.ceilDiv(length, PAGE_TOKENS) + 1);
  }

  private static Specs prompt(int... tokens) {
    return new Specs().prompt(tokens).causal(1, 0, false);
  }

  /** Pages that a session with the prompt would share. */
  private int shared(Specs specs) {
    HeldPages held = take(specs);
    cache.release(held);
    return held.shared();
  }

  @Test
  void pagesOfTheLongestCommonBeginningAreShared() {
    HeldPages first = read(prompt(1, 2, 3, 4, 5, 6, 7, 8));
    HeldPages second = take(prompt(1, 2, 3, 4, 5, 6, 7, 9));
    assertThat(second.shared()).isEqualTo(1);
    assertThat(second.pages()[0]).isEqualTo(first.pages()[0]);
    assertThat(second.pages()[1]).isNotEqualTo(first.pages()[1]);
    assertThat(pages.owners(first.pages()[0])).as("two sessions and the cache").isEqualTo(3);
    assertThat(take(prompt(1, 2, 3)).shared()).as("not a whole page").isZero();
  }

  @Test
  void equalPagesComeAfterEqualBeginningsOnly() {
    read(prompt(1, 2, 3, 4, 5, 6, 7, 8));
    assertThat(take(prompt(5, 6, 7, 8)).shared()).isZero();
    assertThat(take(prompt(9, 2, 3, 4, 5, 6, 7, 8)).shared()).isZero();
  }

  @Test
  void aPageDependsOnTheWholeBlockThatItEndsIn() {
    read(prompt(1, 2, 3, 4, 5, 6, 7, 8).causal(8, 0, false));
    assertThat(shared(prompt(1, 2, 3, 4, 5, 6, 7, 9).causal(8, 0, false))).isZero();
    assertThat(shared(prompt(1, 2, 3, 4, 5, 6, 7).causal(8, 0, false))).isZero();
    assertThat(shared(prompt(1, 2, 3, 4, 5, 6, 7, 8, 9).causal(8, 0, false))).isEqualTo(2);
    cache.check(new int[8]);
  }

  @Test
  void whatTwoComputedAtOnceIsKeptOnce() {
    HeldPages first = take(prompt(1, 2, 3, 4));
    HeldPages second = take(prompt(1, 2, 3, 4));
    assertThat(second.shared()).isZero();
    int own = second.pages()[0];
    cache.share(first, 4, position -> position + 1);
    int free = pages.free();
    cache.share(second, 4, position -> position + 1);
    assertThat(second.pages()[0]).isEqualTo(first.pages()[0]).isNotEqualTo(own);
    assertThat(pages.free()).isEqualTo(free + 1);
    assertThat(pages.owners(own)).isZero();
  }

  @Test
  void theOldestGoesFirstAndTheEndOfASequenceBeforeItsBeginning() {
    cache.release(read(prompt(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))); // 3 pages
    cache.release(read(prompt(21, 22, 23, 24))); // 1 page
    assertThat(cache.unheld()).isEqualTo(4);
    cache.release(take(prompt(1, 2, 3, 4))); // its first page is the newest now
    cache.release(cache.take(prompt(7, 7).build(), 6)); // two have to go
    assertThat(shared(prompt(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12))).isEqualTo(1);
    assertThat(shared(prompt(21, 22, 23, 24))).isEqualTo(1);
    cache.release(cache.take(prompt(7, 7).build(), 7)); // and one more
    assertThat(shared(prompt(21, 22, 23, 24)) + shared(prompt(1, 2, 3, 4))).isEqualTo(1);
  }

  @Test
  void whatASessionHoldsIsNotLetGo() {
    HeldPages held = read(prompt(1, 2, 3, 4, 5, 6, 7, 8)); // 3 pages
    assertThatIllegalStateException()
        .isThrownBy(() -> cache.take(prompt(7, 7).build(), 6))
        .withMessageContaining("pages: 6 (expected: <= 5 free)");
    assertThat(take(prompt(1, 2, 3, 4, 5, 6, 7, 8)).shared()).isEqualTo(2);
    cache.check(new int[8]);
    assertThat(held.shared()).isEqualTo(2);
  }

  @Test
  void randomUseAgreesWithListsOfTokens() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      int count = 6 + random.nextInt(20);
      int most = random.nextInt(3) == 0 ? random.nextInt(40) : Integer.MAX_VALUE;
      new Model(random, count, most).play();
    }
  }

  /** Knows for every page which tokens, and which way of attending, made what it holds. */
  private static final class Model {

    private final Random random;
    private final int count;
    private final PageAllocator pages;
    private final PrefixCache cache;
    private final List<HeldPages> running = new ArrayList<>();
    private final List<Integer> held = new ArrayList<>(); // tokens
    private final String[] contents;

    Model(Random random, int count, int mostTokens) {
      this.random = random;
      this.count = count;
      pages = new PageAllocator(count);
      cache = cache(pages, count, mostTokens);
      contents = new String[count];
    }

    void play() {
      for (int step = 0; step < 300; step++) {
        switch (random.nextInt(3)) {
          case 0 -> open();
          case 1 -> read();
          default -> close();
        }
        check();
      }
    }

    private void open() {
      int block = 1 + random.nextInt(6);
      int[] prompt = random.ints(random.nextInt(17), 0, 2).toArray();
      Specs specs = new Specs().prompt(prompt).causal(block, random.nextInt(block), false);
      int needed = Math.ceilDiv(prompt.length + 1, PAGE_TOKENS);
      int taken = running.stream().mapToInt(each -> each.pages().length).sum();
      if (taken + needed > count) {
        return; // as the queue counts
      }
      HeldPages opened = cache.take(specs.build(), needed);
      int tokens = opened.shared() * PAGE_TOKENS;
      assertThat(tokens == 0 || (tokens + opened.spec().attending().blockOffset()) % block == 0)
          .isTrue();
      running.add(opened);
      held.add(tokens);
      for (int page = 0; page < opened.shared(); page++) {
        assertThat(contents[opened.pages()[page]]).isEqualTo(content(opened, page));
      }
    }

    private void read() {
      if (running.isEmpty()) {
        return;
      }
      int index = random.nextInt(running.size());
      HeldPages reading = running.get(index);
      int[] prompt = reading.spec().promptTokens();
      int border = held.get(index);
      for (int end = held.get(index) + 1; end <= prompt.length; end++) {
        if (reading.spec().attending().borderAfter(end) == end && random.nextBoolean()) {
          border = end;
        }
      }
      for (int page = held.get(index) / PAGE_TOKENS; page * PAGE_TOKENS < border; page++) {
        assertThat(pages.owners(reading.pages()[page])).as("of a page written to").isEqualTo(1);
        contents[reading.pages()[page]] = content(reading, page);
      }
      held.set(index, border);
      cache.share(reading, border, position -> prompt[position]);
      assertThat(reading.shared()).isLessThanOrEqualTo(border / PAGE_TOKENS);
    }

    private static String content(HeldPages held, int page) {
      int end = held.spec().attending().borderAfter((page + 1) * PAGE_TOKENS);
      int[] prompt = held.spec().promptTokens();
      return held.spec().attending()
          + Arrays.toString(Arrays.copyOf(prompt, Math.min(end, prompt.length)));
    }

    private void close() {
      if (!running.isEmpty()) {
        int index = random.nextInt(running.size());
        cache.release(running.remove(index));
        held.subList(index, index + 1).clear();
      }
    }

    private void check() {
      pages.check();
      int[] owners = new int[count];
      cache.check(owners);
      running.forEach(each -> Arrays.stream(each.pages()).forEach(page -> owners[page]++));
      assertThat(IntStream.range(0, count).map(pages::owners)).containsExactly(boxed(owners));
    }

    private static Integer[] boxed(int[] numbers) {
      return Arrays.stream(numbers).boxed().toArray(Integer[]::new);
    }
  }
}
