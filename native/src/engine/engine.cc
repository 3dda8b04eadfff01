#include "engine/engine.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/load_progress.h"
#include "engine/backend_factory.h"
#include "io/checkpoint.h"
#include "models/registry.h"

namespace sfumato {
namespace {

void CopyText(const std::string& text, char (&field)[SFUMATO_NAME_CAPACITY]) {
  const size_t size = std::min(text.size(), sizeof(field) - 1);
  std::memcpy(field, text.data(), size);
  field[size] = '\0';
}

}  // namespace

Engine::Engine(const EngineOptions& options) : options_(options) {
  const Checkpoint checkpoint(options.model_directory);
  backend_ = MakeBackend(options, {options.max_batch_tokens, options.max_candidates, options.max_top_candidates});
  LoadProgress progress(options.model_directory, checkpoint.bytes());
  backend_->WatchLoading(&progress);
  model_ = LoadModel(*backend_, checkpoint,
                     {options.max_batch_tokens, options.page_tokens, options.max_slots, options.max_pages});
  backend_->WatchLoading(nullptr);
  const ModelFacts& facts = model_->facts();
  options_.approximate_cache &= options.max_pages > 0 && (facts.attention == SFUMATO_ATTENTION_FULL ||
                                                          facts.attention == SFUMATO_ATTENTION_FULL_OR_BLOCK_CAUSAL);
  if (options.max_pages > 0 && !facts.key_value_cache && !options_.approximate_cache) {
    Fail(SFUMATO_FAILED_PRECONDITION, "max_pages", options.max_pages,
         "0, since family " + facts.family + " keeps no key-value cache but an approximate one");
  }
  buffers_ = std::make_unique<StepBuffers>(options, facts.max_positions);
  planner_ = std::make_unique<StepPlanner>(options_, facts, static_cast<int64_t>(buffers_->pages.size()));
  backend_->BeginStep(planner_->layout());  // allocates what layouts need
}

sfumato_info Engine::Info() const {
  const ModelFacts& facts = model_->facts();
  sfumato_info info = {};
  info.struct_size = sizeof(info);
  CopyText(facts.family, info.family);
  CopyText(backend_->InstructionSetName(), info.instruction_set);
  CopyText(backend_->ProductsName(), info.products);
  info.vocabulary = facts.vocabulary;
  info.hidden_size = facts.hidden_size;
  info.layers = facts.layers;
  info.max_positions = facts.max_positions;
  info.mask_token_id = facts.mask_token_id;
  info.end_of_text_token_id = facts.end_of_text_token_id;
  info.pad_token_id = facts.pad_token_id;
  info.attention = facts.attention;
  info.has_key_value_cache = facts.key_value_cache ? 1 : 0;
  info.approximate_cache = options_.approximate_cache ? 1 : 0;
  info.shifted_logits = facts.shifted_logits ? 1 : 0;
  info.block_length = facts.block_length;
  info.threads = backend_->Threads();
  info.parameters = facts.parameters;
  info.weight_bytes = backend_->weight_bytes();
  info.state_bytes = backend_->allocated_bytes() + backend_->WorkBytes() + buffers_->bytes() + planner_->bytes();
  return info;
}

void Engine::Plan(int32_t item_count) { planner_->Plan(*buffers_, item_count); }

void Engine::Run(float* logits, uint64_t capacity) {
  const StepLayout& layout = planner_->layout();
  if (logits != nullptr) {
    const auto needed =
        static_cast<uint64_t>(planner_->output_rows()) * static_cast<uint64_t>(model_->facts().vocabulary);
    if (capacity < needed) Fail(SFUMATO_INVALID_ARGUMENT, "capacity", capacity, std::to_string(needed) + " or more");
  }
  planner_->RefreshTokens(*buffers_);
  if (layout.rows() == 0) return;
  backend_->BeginStep(layout);
  const OperandView hidden = model_->Forward(layout);
  if (layout.candidates.empty()) return;
  backend_->Candidates({&layout, hidden, &model_->head(), model_->head_bias(), buffers_->Outputs(), logits,
                        model_->logit_cap(), model_->soft_embeddings()});
}

void Engine::CopyState(int32_t from_slot, int32_t to_slot) {
  CheckSlot("from_slot", from_slot);
  CheckSlot("to_slot", to_slot);
  model_->CopyState(from_slot, to_slot);
}

void Engine::ResetSlot(int32_t slot) {
  CheckSlot("slot", slot);
  model_->ResetSlot(slot);
}

void Engine::CheckSlot(const char* name, int32_t slot) const { CheckRange(name, slot, 0, options_.max_slots - 1); }

}  // namespace sfumato
