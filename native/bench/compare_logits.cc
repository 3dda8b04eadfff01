// Compares the logits of two checkpoints of one model: sfumato_compare_logits DIR OTHER PROMPTS CANVAS STEPS [fp8_inputs]
// With fp8_inputs the other one's dense products round their inputs as SFUMATO_PRODUCT_FP8_INPUTS does (rounded_inputs.h).
// PROMPTS holds one prompt a line, as token ids. After each stands a canvas of masks that the first checkpoint unmasks in so
// many steps, the positions of the greatest confidence first, each with what it draws; at each step both see the same input.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iostream>
#include <iterator>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "sfumato_engine.h"

namespace {

class Engine {
 public:
  Engine(const char* directory, sfumato_product_type products, int32_t tokens) {
    sfumato_options options;
    sfumato_default_options(&options);
    options.model_directory = directory;
    options.threads = 1;
    options.product_type = products;
    options.max_batch_tokens = options.max_candidates = tokens;
    Check(sfumato_open(&options, &engine_), nullptr);
    info.struct_size = sizeof(info);
    Check(sfumato_get_info(engine_, &info), engine_);
    buffers.struct_size = sizeof(buffers);
    Check(sfumato_get_buffers(engine_, &buffers), engine_);
  }
  ~Engine() { sfumato_close(engine_); }

  std::vector<float> Logits(const std::vector<int32_t>& tokens, const std::vector<int32_t>& rows, int32_t step) {
    sfumato_item& item = buffers.items[0];
    item = {};
    item.kind = SFUMATO_ITEM_DENOISE;
    item.token_count = static_cast<int32_t>(tokens.size());
    item.candidate_count = static_cast<int32_t>(rows.size());
    item.guidance_item = -1;
    item.step = step;
    item.seed = 1;
    item.temperature = 1;
    std::copy(tokens.begin(), tokens.end(), buffers.tokens);
    std::copy(rows.begin(), rows.end(), buffers.candidate_rows);
    std::vector<float> logits(rows.size() * static_cast<size_t>(info.vocabulary));
    Check(sfumato_plan(engine_, 1), engine_);
    Check(sfumato_run_logits(engine_, logits.data(), logits.size()), engine_);
    return logits;
  }

  sfumato_info info = {};
  sfumato_buffers buffers = {};

 private:
  static void Check(sfumato_status status, sfumato_engine* engine) {
    if (status != SFUMATO_OK) throw std::runtime_error(sfumato_last_error(engine));
  }

  sfumato_engine* engine_ = nullptr;
};

struct Figures {
  int64_t positions = 0, same = 0, sure = 0, sure_same = 0;
  double divergence = 0, difference = 0, spread = 0;
  float worst = 0;

  /// One position's logits; both are used up.
  void Add(std::vector<float> logits, std::vector<float> others) {
    const auto n = static_cast<double>(logits.size());
    for (std::vector<float>* all : {&logits, &others}) {
      const double mean = std::accumulate(all->begin(), all->end(), 0.0) / n;
      for (float& logit : *all) logit -= static_cast<float>(mean);
    }
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    const auto other_best = std::max_element(others.begin(), others.end()) - others.begin();
    const auto sum_of = [](const std::vector<float>& all) {
      return std::accumulate(all.begin(), all.end(), 0.0,
                             [](double sum, float x) { return sum + std::exp(double{x}); });
    };
    const double log_sum = std::log(sum_of(logits));
    const double other_log_sum = std::log(sum_of(others));
    float second = -INFINITY;
    for (size_t i = 0; i < logits.size(); ++i) {
      const float error = others[i] - logits[i];
      divergence += std::exp(logits[i] - log_sum) * ((logits[i] - log_sum) - (others[i] - other_log_sum));
      difference += double{error} * error / n;
      spread += double{logits[i]} * logits[i] / n;
      worst = std::max(worst, std::fabs(error));
      if (static_cast<int64_t>(i) != best) second = std::max(second, logits[i]);
    }
    ++positions;
    same += best == other_best ? 1 : 0;
    if (logits[static_cast<size_t>(best)] - second < 0.5f) return;
    ++sure;
    sure_same += best == other_best ? 1 : 0;
  }
};

void Compare(Engine& engine, Engine& other, std::vector<int32_t> tokens, size_t canvas, int32_t steps,
             Figures& figures) {
  const size_t prompt = tokens.size();
  tokens.resize(prompt + canvas, engine.info.mask_token_id);
  const auto vocabulary = static_cast<std::ptrdiff_t>(engine.info.vocabulary);
  for (int32_t step = 0; step < steps; ++step) {
    std::vector<int32_t> rows;
    for (size_t i = prompt; i < tokens.size(); ++i) {
      if (tokens[i] == engine.info.mask_token_id) rows.push_back(static_cast<int32_t>(i));
    }
    const std::vector<float> logits = engine.Logits(tokens, rows, step + 1);
    const std::vector<float> others = other.Logits(tokens, rows, step + 1);
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto at = static_cast<std::ptrdiff_t>(i) * vocabulary;
      figures.Add({logits.begin() + at, logits.begin() + at + vocabulary},
                  {others.begin() + at, others.begin() + at + vocabulary});
    }
    std::vector<size_t> order(rows.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const float* confidence = engine.buffers.sampled_probability;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return confidence[a] > confidence[b]; });
    const size_t accepted = (canvas * static_cast<size_t>(step + 1)) / static_cast<size_t>(steps) -
                            (canvas * static_cast<size_t>(step)) / static_cast<size_t>(steps);
    for (size_t i = 0; i < accepted; ++i)
      tokens[static_cast<size_t>(rows[order[i]])] = engine.buffers.sampled_token[order[i]];
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool rounds_inputs = argc == 7 && std::string(argv[6]) == "fp8_inputs";
  const bool complete = argc == 6 || rounds_inputs;
  const int canvas = complete ? std::atoi(argv[4]) : 0;
  const int steps = complete ? std::atoi(argv[5]) : 0;
  if (canvas < 1 || steps < 1 || steps > canvas) {
    std::cerr << "usage: sfumato_compare_logits DIR OTHER PROMPTS CANVAS STEPS [fp8_inputs], at most as many steps as "
                 "positions\n";
    return 2;
  }
  try {
    std::vector<std::vector<int32_t>> prompts;
    size_t longest = 0;
    std::ifstream stream(argv[3]);
    for (std::string line; std::getline(stream, line);) {
      std::istringstream numbers(line);
      prompts.emplace_back(std::istream_iterator<int32_t>(numbers), std::istream_iterator<int32_t>());
      longest = std::max(longest, prompts.back().size());
    }
    const int32_t tokens = static_cast<int32_t>(longest) + canvas;
    Engine engine(argv[1], SFUMATO_PRODUCT_F32, tokens);
    Engine other(argv[2], rounds_inputs ? SFUMATO_PRODUCT_FP8_INPUTS : SFUMATO_PRODUCT_F32, tokens);
    Figures f;
    for (const std::vector<int32_t>& prompt : prompts)
      Compare(engine, other, prompt, static_cast<size_t>(canvas), steps, f);
    const auto percent = [](int64_t part, int64_t whole) {
      return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    };
    std::cout << f.positions << " positions: error of the logits " << 100 * std::sqrt(f.difference / f.spread)
              << " % of their spread, worst " << f.worst << ", KL divergence "
              << f.divergence / static_cast<double>(f.positions) << ", the same most probable token "
              << percent(f.same, f.positions) << " %, where it leads by 0.5 " << percent(f.sure_same, f.sure)
              << " % of " << f.sure << "\n";
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
