// plan and run allocate nothing: every allocation of the process is counted while a flag is set.
#include <atomic>
#include <cstdlib>
#include <new>

#include "engine/test_engine.h"

// Inlined, the pair of malloc behind operator new and free behind operator delete looks like a mismatch to GCC.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace {

std::atomic<bool> counting{false};
std::atomic<int64_t> allocations{0};

void* Allocate(size_t size) {
  if (counting.load(std::memory_order_relaxed)) allocations.fetch_add(1);
  void* memory = std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept { return std::malloc(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

namespace sfumato::test {
namespace {

class AllocationTest : public testing::TestWithParam<std::string> {};

TEST_P(AllocationTest, StepsAllocateNothing) {
  TestEngine engine(Fixture(GetParam()), 2);
  std::vector<int32_t> tokens(100, 7);
  const std::vector<int32_t> rows = {1, 5, 50};
  allocations = 0;
  counting = true;
  const int before = static_cast<int>(allocations.load());
  for (int step = 0; step < 20; ++step) {
    engine.Clear();
    sfumato_item& first = engine.Add(tokens);
    first.temperature = 0.7f;
    first.top_count = 5;
    first.suppressed_count = 1;
    sfumato_item& second = engine.Add(tokens, step % 2 == 0 ? &rows : nullptr);
    second.guidance_item = step % 3 == 0 ? 2 : -1;
    second.guidance_scale = 1;
    engine.Add(tokens, &rows);
    const sfumato_status planned = sfumato_plan(engine.get(), engine.items());
    const sfumato_status ran = sfumato_run(engine.get());
    if (planned != SFUMATO_OK || ran != SFUMATO_OK) break;
  }
  counting = false;
  EXPECT_EQ(allocations.load() - before, 0) << engine.error();
  EXPECT_STREQ(engine.error().c_str(), "");
}

TEST(AllocationCounterTest, SeesAnAllocation) {
  allocations = 0;
  counting = true;
  auto* number = new volatile int(3);
  counting = false;
  delete number;
  EXPECT_EQ(allocations.load(), 1);
}

INSTANTIATE_TEST_SUITE_P(Families, AllocationTest, testing::Values("llada", "bert_mlm"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace sfumato::test
