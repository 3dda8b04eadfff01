// Times denoising steps of one model: sfumato_bench DIR ROWS CANVAS THREADS f32|bf16|int8|fp8|fp8_inputs|int4 [CONTEXT|cache [DEVICE]]
//
// With CONTEXT, for families with a cache, that many tokens lie in pages before each canvas; "cache", for families with an
// approximate one, opens a model for it. DEVICE: cpu, as usual; cuda; or cuda-profile, which measures each kernel.
//
// Answers each line of its input with one line of JSON, so that a driver can take turns with other programs:
//   run SECONDS    milliseconds of each step, all positions open
//   rows N         so many of the ROWS from now on
//   part N         with "cache": N positions in the middle of each canvas, over the others' keys and values in pages
//   peak SECONDS   GFLOP/s of all threads with operands in registers, of products in that format
//   profile        time and rate of each part of the steps since the last time
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "peak.h"
#include "sfumato_engine.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kInputs = 16;
constexpr int32_t kPageTokens = 16;

class StepBench {
 public:
  StepBench(const char* directory, int32_t rows, int32_t canvas, int32_t threads, sfumato_product_type products,
            int32_t context, bool cache, const std::string& device)
      : canvas_(canvas), tokens_(rows * canvas), int8_(products == SFUMATO_PRODUCT_INT8) {
    const int32_t pages = ((cache ? canvas : context) + kPageTokens - 1) / kPageTokens;
    sfumato_options options;
    sfumato_default_options(&options);
    options.model_directory = directory;
    options.threads = threads;
    options.product_type = products;
    options.device = device == "cpu" ? SFUMATO_DEVICE_CPU : SFUMATO_DEVICE_CUDA;
    options.device_profile = device == "cuda-profile" ? 1 : 0;
    options.max_items = rows;
    options.max_batch_tokens = tokens_;
    options.max_candidates = tokens_;
    options.page_tokens = kPageTokens;
    options.max_pages = rows * pages;
    options.approximate_cache = cache ? 1 : 0;
    Check(sfumato_open(&options, &engine_), nullptr);
    info_.struct_size = sizeof(info_);
    Check(sfumato_get_info(engine_, &info_), engine_);
    buffers_.struct_size = sizeof(buffers_);
    Check(sfumato_get_buffers(engine_, &buffers_), engine_);
    for (int32_t row = 0; row < rows; ++row) {
      sfumato_item& item = buffers_.items[row];
      item = {};
      item.kind = SFUMATO_ITEM_DENOISE;
      item.slot = row;
      item.token_offset = item.candidate_offset = row * canvas_;
      item.token_count = item.candidate_count = canvas_;
      item.guidance_item = -1;
      item.step = 2;  // conditioned on the one before, where a family does that
      item.first_position = item.context_tokens = context;
      item.page_offset = row * pages;
      item.page_count = cache ? 0 : pages;
      const bool blocks = info_.attention == SFUMATO_ATTENTION_BLOCK_CAUSAL ||
                          (info_.attention == SFUMATO_ATTENTION_FULL_OR_BLOCK_CAUSAL && context > 0);
      item.block_length = blocks ? canvas_ : 0;
    }
    for (int32_t page = 0; page < rows * pages; ++page) buffers_.pages[page] = page;
    for (int32_t row = 0; row < rows; ++row) Prefill(row, context);
    for (int32_t i = 0; i < tokens_; ++i) buffers_.candidate_rows[i] = i % canvas_;
    std::mt19937 generator(1);
    inputs_.resize(kInputs);
    for (std::vector<int32_t>& input : inputs_) {
      for (int32_t i = 0; i < tokens_; ++i)
        input.push_back(static_cast<int32_t>(generator() % static_cast<uint32_t>(info_.vocabulary)));
    }
    UseRows(rows);
    Profile();
  }
  ~StepBench() { sfumato_close(engine_); }

  StepBench(const StepBench&) = delete;
  StepBench& operator=(const StepBench&) = delete;

  const sfumato_info& info() const { return info_; }

  void Step() {
    std::memcpy(buffers_.tokens, inputs_[static_cast<size_t>(steps_++ % kInputs)].data(),
                sizeof(int32_t) * static_cast<size_t>(tokens_));
    Check(sfumato_plan(engine_, items_), engine_);
    Check(sfumato_run(engine_), engine_);
  }

  /// 1 to as many as there are.
  void UseRows(int32_t rows) {
    items_ = rows;
    for (int i = 0; i < 3; ++i) Step();
  }

  /// 1 to as many as a canvas has, once. A step of all positions writes what the steps after it read.
  void UsePart(int32_t count) {
    const int32_t first = (canvas_ - count) / 2;
    for (int32_t row = 0; row < items_; ++row) {
      sfumato_item& item = buffers_.items[row];
      item.kind = SFUMATO_ITEM_COMMIT;
      item.commit_tokens = canvas_;
      item.page_count = (canvas_ + kPageTokens - 1) / kPageTokens;
    }
    Step();
    for (int32_t row = 0; row < items_; ++row) {
      sfumato_item& item = buffers_.items[row];
      item.kind = SFUMATO_ITEM_DENOISE;
      item.commit_tokens = 0;
      item.first_position = item.context_tokens = first;
      item.token_offset = row * canvas_ + first;
      item.token_count = item.candidate_count = count;
      item.following_tokens = canvas_ - first - count;
    }
    for (int i = 0; i < 3; ++i) Step();
  }

  std::string Run(double seconds) {
    std::ostringstream times;
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    const char* separator = "[";
    do {
      const auto start = Clock::now();
      Step();
      times << separator << std::chrono::duration<double, std::milli>(Clock::now() - start).count();
      separator = ", ";
    } while (Clock::now() < end);
    return times.str() + "]";
  }

  std::string Peak(double seconds) const {
    std::vector<double> rates(static_cast<size_t>(info_.threads));
    std::vector<std::thread> threads;
    const auto measure = int8_ ? sfumato::bench::PeakInt8Gops : sfumato::bench::PeakGflops;
    for (double& rate : rates) threads.emplace_back([&rate, seconds, measure] { rate = measure(seconds); });
    double sum = 0;
    for (std::thread& thread : threads) thread.join();
    for (const double rate : rates) sum += rate;
    return std::to_string(sum);
  }

  std::string Profile() {
    sfumato_profile_entry entries[256];
    int32_t count = 256;
    Check(sfumato_profile(engine_, entries, &count, 1), engine_);
    std::ostringstream text;
    for (int32_t i = 0; i < count; ++i) {
      const double ns = static_cast<double>(entries[i].nanoseconds);
      text << (i == 0 ? "{" : ", ") << '"' << entries[i].name << "\": {\"calls\": " << entries[i].calls
           << ", \"ms\": " << ns / 1e6
           << ", \"gflops\": " << (ns > 0 ? static_cast<double>(entries[i].operations) / ns : 0) << "}";
    }
    return count == 0 ? "{}" : text.str() + "}";
  }

 private:
  /// Writes a row's context a canvas at a time.
  void Prefill(int32_t row, int32_t context) {
    const sfumato_item canvas = buffers_.items[row];
    sfumato_item& item = buffers_.items[0];
    const sfumato_item first = item;
    for (int32_t at = 0; at < context; at += canvas_) {
      item = canvas;
      item.kind = SFUMATO_ITEM_PREFILL;
      item.first_position = item.context_tokens = at;
      item.token_offset = item.candidate_count = 0;
      for (int32_t i = 0; i < canvas_; ++i) buffers_.tokens[i] = (at * 31 + i * 7) % info_.vocabulary;
      Check(sfumato_plan(engine_, 1), engine_);
      Check(sfumato_run(engine_), engine_);
    }
    item = row == 0 ? canvas : first;
  }

  static void Check(sfumato_status status, const sfumato_engine* engine) {
    if (status == SFUMATO_OK) return;
    std::cerr << sfumato_last_error(engine) << "\n";
    std::exit(1);
  }

  sfumato_engine* engine_ = nullptr;
  sfumato_info info_ = {};
  sfumato_buffers buffers_ = {};
  std::vector<std::vector<int32_t>> inputs_;
  int32_t items_ = 0;
  const int32_t canvas_;
  const int32_t tokens_;
  const bool int8_;
  int64_t steps_ = 0;
};

/// 0, AUTO, where the name is none of them.
sfumato_product_type ProductsOf(const std::string& name) {
  if (name == "bf16") return SFUMATO_PRODUCT_BF16;
  if (name == "int8") return SFUMATO_PRODUCT_INT8;
  if (name == "fp8") return SFUMATO_PRODUCT_FP8;
  if (name == "fp8_inputs") return SFUMATO_PRODUCT_FP8_INPUTS;
  if (name == "int4") return SFUMATO_PRODUCT_INT4;
  return name == "f32" ? SFUMATO_PRODUCT_F32 : SFUMATO_PRODUCT_AUTO;
}

}  // namespace

int main(int argc, char** argv) {
  const bool cache = argc > 6 && std::string(argv[6]) == "cache";
  const int32_t context = argc > 6 && !cache ? std::atoi(argv[6]) : 0;
  const std::string device = argc > 7 ? argv[7] : "cpu";
  const sfumato_product_type products = ProductsOf(argc < 6 ? "" : argv[5]);
  if (products == SFUMATO_PRODUCT_AUTO || argc > 8 || std::atoi(argv[3]) < 1 || context % std::atoi(argv[3]) != 0 ||
      (device != "cpu" && device != "cuda" && device != "cuda-profile")) {
    std::cerr << "usage: sfumato_bench DIR ROWS CANVAS THREADS f32|bf16|int8|fp8|fp8_inputs|int4 [CONTEXT|cache "
                 "[cpu|cuda|cuda-profile]] (CONTEXT: a multiple of CANVAS)\n";
    return 2;
  }
  const int32_t canvas = std::atoi(argv[3]);
  StepBench bench(argv[1], std::atoi(argv[2]), canvas, std::atoi(argv[4]), products, context, cache, device);
  std::cout << "{\"instruction_set\": \"" << bench.info().instruction_set << "\", \"products\": \""
            << bench.info().products << "\", \"parameters\": " << bench.info().parameters << ", \"device\": \""
            << bench.info().device << "\", \"device_bytes\": " << bench.info().device_bytes
            << ", \"weight_bytes\": " << bench.info().weight_bytes << ", \"state_bytes\": " << bench.info().state_bytes
            << "}" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command;
    double number = 1;
    words >> command >> number;
    if (command == "run") {
      std::cout << bench.Run(number) << std::endl;
    } else if (command == "rows" && number >= 1 && number <= std::atoi(argv[2])) {
      bench.UseRows(static_cast<int32_t>(number));
      std::cout << number << std::endl;
    } else if (command == "part" && cache && number >= 1 && number <= canvas) {
      bench.UsePart(static_cast<int32_t>(number));
      std::cout << number << std::endl;
    } else if (command == "peak") {
      std::cout << bench.Peak(number) << std::endl;
    } else if (command == "profile") {
      std::cout << bench.Profile() << std::endl;
    } else {
      std::cout << "null" << std::endl;
    }
  }
  return 0;
}
