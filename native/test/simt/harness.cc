#include "simt/harness.h"

#include <array>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#include "simt/fragments.h"

// Saves the callee's registers on the stack that it leaves, takes those of the stack that it enters. Linux on x86-64, the
// only system that the native core is built for.
extern "C" void sfumato_switch_stack(void** left, void* entered);
asm(R"(
.text
.type sfumato_switch_stack, @function
sfumato_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sfumato_switch_stack, .-sfumato_switch_stack
)");

namespace sfumato::cuda::harness {

const Place* here = nullptr;

namespace {

constexpr int64_t kStackBytes = 128 << 10;
constexpr int kNobody = -1;
constexpr int kSeveral = -2;

enum class State { kReady, kAtBlockBarrier, kAtWarp, kEnded };

struct PendingCopy {
  uint8_t* to;
  const uint8_t* from;
  int64_t bytes;
};

struct Thread {
  Place place;
  State state = State::kReady;
  Site site = {};
  void* stack_pointer = nullptr;
  /// Asynchronous copies: groups that are closed, oldest first, and the open one.
  std::vector<std::vector<PendingCopy>> groups;
  std::vector<PendingCopy> open;
};

enum class Operation {
  kSync,
  kShuffleXor,
  kShuffleFrom,
  kBallot,
  kMultiply,
  kMultiplyFloat8,
  kTranspose,
  kTransposeRows
};

/// What a warp's lanes have brought to the operation that they are at.
struct Warp {
  int arrived = 0;
  Operation operation = Operation::kSync;
  Site site = {};
  uint32_t epoch = 1;
  std::array<std::array<uint32_t, 10>, kWarpThreads> brought;
  std::array<std::array<uint32_t, 4>, kWarpThreads> taken;
};

/// What is known of a word of shared memory. Accesses of different threads are in order when a barrier of the block lies
/// between them, or one of the warp that both are of.
struct Word {
  bool written = false;
  bool copying = false;
  int writer = kNobody;
  uint32_t writer_block_epoch = 0;
  uint32_t writer_warp_epoch = 0;
  int reader = kNobody;  // kSeveral of one warp, or see reader_warp
  int reader_warp = kNobody;
  uint32_t reader_block_epoch = 0;
  uint32_t reader_warp_epoch = 0;
};

struct Block {
  const Launched* launched = nullptr;
  std::vector<Thread> threads;
  std::vector<Warp> warps;
  std::vector<Word> words;
  std::unique_ptr<uint8_t[]> memory;
  uint8_t* shared = nullptr;
  uint32_t epoch = 1;
  int at_barrier = 0;
  int ended = 0;
  Site barrier_site = {};
  std::string fault;
  void* scheduler = nullptr;
  Thread* running = nullptr;
};

Block block;

/// Stacks are kept from launch to launch.
uint8_t* StackOf(size_t thread) {
  static std::vector<std::unique_ptr<uint8_t[]>> stacks;
  while (stacks.size() <= thread) stacks.emplace_back(new uint8_t[kStackBytes]);
  return stacks[thread].get();
}

std::string Where(Site site) {
  const char* name = std::strrchr(site.file, '/');
  return std::string(name == nullptr ? site.file : name + 1) + ":" + std::to_string(site.line);
}

std::string NameOf(const Thread& thread) { return "thread " + std::to_string(thread.place.thread); }

bool SameSite(Site a, Site b) { return a.line == b.line && std::strcmp(a.file, b.file) == 0; }

void GiveWay() {
  Thread* thread = block.running;
  sfumato_switch_stack(&thread->stack_pointer, block.scheduler);
}

void Enter() {
  Thread& thread = *block.running;
  try {
    block.launched->run(block.launched->arguments, block.shared);
    if (!thread.open.empty() || !thread.groups.empty()) throw Fault("asynchronous copy: never waited for");
  } catch (const std::exception& e) {
    if (block.fault.empty()) block.fault = NameOf(thread) + ": " + e.what();
  }
  thread.state = State::kEnded;
  ++block.ended;
  GiveWay();
}

void Prepare(Thread& thread, size_t index) {
  // Six registers and the address to return to; a function begins with the stack 8 bytes off a multiple of 16.
  auto* top = reinterpret_cast<uint64_t*>(StackOf(index) + kStackBytes);
  top = reinterpret_cast<uint64_t*>(reinterpret_cast<uintptr_t>(top) / 16 * 16);
  *--top = 0;
  *--top = reinterpret_cast<uint64_t>(&Enter);
  for (int i = 0; i < 6; ++i) *--top = 0;
  thread.stack_pointer = top;
}

/// Says who waits for what: the first thread of each state.
std::string Deadlock() {
  std::string text = "nobody can go on";
  for (const State state : {State::kAtBlockBarrier, State::kAtWarp, State::kEnded}) {
    for (const Thread& thread : block.threads) {
      if (thread.state != state) continue;
      text += "; " + NameOf(thread);
      text +=
          state == State::kEnded
              ? " has ended"
              : (state == State::kAtWarp ? " waits for its warp at " : " waits for its block at ") + Where(thread.site);
      break;
    }
  }
  return text;
}

void RunBlock() {
  for (;;) {
    bool ran = false;
    for (Thread& thread : block.threads) {
      if (thread.state != State::kReady) continue;
      ran = true;
      block.running = &thread;
      here = &thread.place;
      sfumato_switch_stack(&block.scheduler, thread.stack_pointer);
      if (!block.fault.empty()) return;
    }
    if (block.ended == static_cast<int>(block.threads.size())) return;
    if (!ran) {
      block.fault = Deadlock();
      return;
    }
  }
}

Warp& WarpOf(const Thread& thread) { return block.warps[static_cast<size_t>(thread.place.thread / kWarpThreads)]; }

uint32_t& Brought(Warp& warp, int lane, size_t word) { return warp.brought[static_cast<size_t>(lane)][word]; }
uint32_t& Taken(Warp& warp, int lane, size_t word) { return warp.taken[static_cast<size_t>(lane)][word]; }

/// What all lanes' words come to, once all are there.
void Complete(Warp& warp) {
  uint32_t votes = 0;
  for (int lane = 0; lane < kWarpThreads; ++lane) {
    if (warp.operation == Operation::kBallot && Brought(warp, lane, 0) != 0) votes |= 1u << lane;
  }
  for (int lane = 0; lane < kWarpThreads; ++lane) {
    const auto parameter = static_cast<int>(Brought(warp, lane, 1));
    switch (warp.operation) {
      case Operation::kShuffleXor:
        Taken(warp, lane, 0) = Brought(warp, (lane ^ parameter) % kWarpThreads, 0);
        break;
      case Operation::kShuffleFrom:
        Taken(warp, lane, 0) = Brought(warp, parameter % kWarpThreads, 0);
        break;
      case Operation::kBallot:
        Taken(warp, lane, 0) = votes;
        break;
      default:
        break;
    }
  }
  if (warp.operation == Operation::kMultiply) MultiplyFragments(warp.brought, warp.taken);
  if (warp.operation == Operation::kMultiplyFloat8) MultiplyFloat8Fragments(warp.brought, warp.taken);
  if (warp.operation == Operation::kTranspose) TransposeFragments(warp.brought, warp.taken);
  if (warp.operation == Operation::kTransposeRows) TransposeRows(warp.brought, warp.taken);
  if (warp.operation == Operation::kSync) ++warp.epoch;
}

/// Brings words to an operation of the warp and waits for the others.
template <size_t kWords>
const std::array<uint32_t, 4>& Collect(Operation operation, Site site, const std::array<uint32_t, kWords>& words) {
  Thread& thread = *block.running;
  Warp& warp = WarpOf(thread);
  if (warp.arrived == 0) {
    warp.operation = operation;
    warp.site = site;
  } else if (warp.operation != operation || !SameSite(warp.site, site)) {
    throw Fault("divergent warp: at " + Where(site) + " while others of it are at " + Where(warp.site));
  }
  const auto lane = static_cast<size_t>(thread.place.thread % kWarpThreads);
  std::copy(words.begin(), words.end(), warp.brought[lane].begin());
  if (++warp.arrived == kWarpThreads) {
    Complete(warp);
    warp.arrived = 0;
    const int first = thread.place.thread / kWarpThreads * kWarpThreads;
    for (int i = first; i < first + kWarpThreads; ++i) block.threads[static_cast<size_t>(i)].state = State::kReady;
  } else {
    thread.state = State::kAtWarp;
    thread.site = site;
    GiveWay();
  }
  return warp.taken[lane];
}

[[noreturn]] void Race(const std::string& what, int64_t word, int other, const std::string& other_what) {
  const std::string who = other < 0 ? "other threads" : "thread " + std::to_string(other);
  throw Fault("shared memory race: " + what + " word " + std::to_string(word) + " that " + who + " " + other_what +
              ", with no barrier between");
}

/// Checks an access of one word by the running thread, and remembers it.
void Touch(Access access, int64_t index, bool copy) {
  Word& word = block.words[static_cast<size_t>(index)];
  const Thread& thread = *block.running;
  const int self = thread.place.thread;
  const int warp_index = self / kWarpThreads;
  const uint32_t warp_epoch = WarpOf(thread).epoch;
  const char* what = access == Access::kRead ? "reads" : "writes";
  if (word.copying && !copy) throw Fault(std::string("asynchronous copy: ") + what + " what is being copied");
  const bool write_ordered = word.writer == kNobody || word.writer == self || word.writer_block_epoch < block.epoch ||
                             (word.writer / kWarpThreads == warp_index && word.writer_warp_epoch < warp_epoch);
  if (!write_ordered) Race(what, index, word.writer, "wrote");
  if (access == Access::kRead) {
    if (!word.written) throw Fault("shared memory: reads word " + std::to_string(index) + " that nobody has written");
    const bool fresh = word.reader == kNobody || word.reader_block_epoch < block.epoch ||
                       (word.reader_warp == warp_index && word.reader_warp_epoch < warp_epoch);
    if (fresh) {
      word.reader = self;
      word.reader_warp = warp_index;
    } else if (word.reader != self) {
      word.reader = kSeveral;
      if (word.reader_warp != warp_index) word.reader_warp = kSeveral;
    }
    word.reader_block_epoch = block.epoch;
    word.reader_warp_epoch = warp_epoch;
    return;
  }
  const bool read_ordered = word.reader == kNobody || word.reader == self || word.reader_block_epoch < block.epoch ||
                            (word.reader_warp == warp_index && word.reader_warp_epoch < warp_epoch);
  if (!read_ordered) Race(what, index, word.reader, "read");
  word.written = true;
  word.writer = self;
  word.writer_block_epoch = block.epoch;
  word.writer_warp_epoch = warp_epoch;
}

void TouchRange(Access access, const void* address, int64_t bytes, bool copy) {
  const int64_t offset = static_cast<const uint8_t*>(address) - block.shared;
  if (offset < 0 || offset + bytes > block.launched->shared_bytes)
    throw Fault("shared memory: " + std::to_string(bytes) + " bytes at " + std::to_string(offset) + " of " +
                std::to_string(block.launched->shared_bytes));
  for (int64_t word = offset / 4; word < (offset + bytes + 3) / 4; ++word) Touch(access, word, copy);
}

void FinishCopies(const std::vector<PendingCopy>& copies) {
  for (const PendingCopy& copy : copies) {
    std::memcpy(copy.to, copy.from, static_cast<size_t>(copy.bytes));
    const int64_t first = (copy.to - block.shared) / 4;
    for (int64_t word = first; word < first + copy.bytes / 4; ++word)
      block.words[static_cast<size_t>(word)].copying = false;
    // It becomes visible here, to this thread alone until a barrier.
    TouchRange(Access::kWrite, copy.to, copy.bytes, true);
  }
}

}  // namespace

void CheckShared(Access access, const void* address, int64_t bytes, int64_t alignment) {
  if (reinterpret_cast<uintptr_t>(address) % static_cast<uintptr_t>(alignment) != 0)
    throw Fault("shared memory: " + std::to_string(bytes) + " bytes at an address that is no multiple of them");
  TouchRange(access, address, bytes, false);
}

void CheckIndex(int64_t index, int64_t size) {
  if (index < 0 || index >= size)
    throw Fault("shared memory: element " + std::to_string(index) + " of " + std::to_string(size));
}

void StartCopy(void* to, const void* from, int64_t bytes) {
  TouchRange(Access::kWrite, to, bytes, false);
  const int64_t first = (static_cast<uint8_t*>(to) - block.shared) / 4;
  for (int64_t word = first; word < first + bytes / 4; ++word) block.words[static_cast<size_t>(word)].copying = true;
  block.running->open.push_back({static_cast<uint8_t*>(to), static_cast<const uint8_t*>(from), bytes});
}

void CommitCopies() {
  block.running->groups.push_back(std::move(block.running->open));
  block.running->open.clear();
}

void WaitForCopies(int groups) {
  std::vector<std::vector<PendingCopy>>& pending = block.running->groups;
  while (static_cast<int>(pending.size()) > groups) {
    FinishCopies(pending.front());
    pending.erase(pending.begin());
  }
}

void SyncBlock(Site site) {
  Thread& thread = *block.running;
  if (block.at_barrier == 0) {
    block.barrier_site = site;
  } else if (!SameSite(block.barrier_site, site)) {
    throw Fault("divergent barrier: at " + Where(site) + " while others are at " + Where(block.barrier_site));
  }
  if (++block.at_barrier == static_cast<int>(block.threads.size())) {
    block.at_barrier = 0;
    ++block.epoch;
    for (Thread& other : block.threads) other.state = State::kReady;
    return;
  }
  thread.state = State::kAtBlockBarrier;
  thread.site = site;
  GiveWay();
}

void SyncWarp(Site site) { Collect<0>(Operation::kSync, site, {}); }

uint32_t ShuffleXor(uint32_t value, int lane_mask, Site site) {
  return Collect<2>(Operation::kShuffleXor, site, {value, static_cast<uint32_t>(lane_mask)})[0];
}

uint32_t ShuffleFrom(uint32_t value, int lane, Site site) {
  return Collect<2>(Operation::kShuffleFrom, site, {value, static_cast<uint32_t>(lane)})[0];
}

uint32_t Ballot(bool predicate, Site site) { return Collect<1>(Operation::kBallot, site, {predicate ? 1u : 0u})[0]; }

namespace {

void Multiply(Operation operation, float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site) {
  std::array<uint32_t, 10> words;
  std::memcpy(words.data(), sums, sizeof(sums));
  std::memcpy(words.data() + 4, a, sizeof(a));
  std::memcpy(words.data() + 8, b, sizeof(b));
  const std::array<uint32_t, 4>& taken = Collect<10>(operation, site, words);
  std::memcpy(sums, taken.data(), sizeof(sums));
}

}  // namespace

void MultiplyBfloat16(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site) {
  Multiply(Operation::kMultiply, sums, a, b, site);
}

void MultiplyFloat8(float (&sums)[4], const uint32_t (&a)[4], const uint32_t (&b)[2], Site site) {
  Multiply(Operation::kMultiplyFloat8, sums, a, b, site);
}

uint32_t TransposeFragment(uint32_t fragment, Site site) {
  return Collect<1>(Operation::kTranspose, site, {fragment})[0];
}

void TransposeRows(const Word4& row, uint32_t (&words)[4], Site site) {
  const std::array<uint32_t, 4>& taken = Collect<4>(Operation::kTransposeRows, site, {row.x, row.y, row.z, row.w});
  std::copy(taken.begin(), taken.end(), words);
}

void Run(const Launched& launched, const Grid& grid) {
  block.launched = &launched;
  const auto threads = static_cast<size_t>(launched.threads);
  const auto words = static_cast<size_t>((launched.shared_bytes + 3) / 4);
  block.memory = std::make_unique<uint8_t[]>(words * 4 + 64);
  block.shared = block.memory.get() + (64 - reinterpret_cast<uintptr_t>(block.memory.get()) % 64);
  for (int64_t z = 0; z < grid.z; ++z) {
    for (int64_t y = 0; y < grid.y; ++y) {
      for (int64_t x = 0; x < grid.x; ++x) {
        block.threads.assign(threads, {});
        block.warps.assign(threads / kWarpThreads, {});
        block.words.assign(words, {});
        block.epoch = 1;
        block.at_barrier = block.ended = 0;
        block.fault.clear();
        for (size_t i = 0; i < threads; ++i) {
          block.threads[i].place = {static_cast<int>(i), static_cast<int>(x), static_cast<int>(y), static_cast<int>(z),
                                    static_cast<int>(grid.x)};
          Prepare(block.threads[i], i);
        }
        RunBlock();
        if (block.fault.empty()) continue;
        throw Fault(std::string(launched.kernel) + ", block " + std::to_string(x) + " " + std::to_string(y) + " " +
                    std::to_string(z) + ", " + block.fault);
      }
    }
  }
}

}  // namespace sfumato::cuda::harness
