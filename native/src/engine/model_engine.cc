#include "engine/model_engine.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/load_progress.h"
#include "engine/library.h"
#include "io/checkpoint.h"
#include "models/registry.h"

namespace sfumato {
namespace {

template <size_t kCapacity>
void CopyText(const std::string& text, char (&field)[kCapacity]) {
  const size_t size = std::min(text.size(), kCapacity - 1);
  std::memcpy(field, text.data(), size);
  field[size] = '\0';
}

}  // namespace

ModelEngine::ModelEngine(const EngineOptions& options) : options_(options) {
  const Checkpoint checkpoint(options.model_directory);
  backend_ = MakeBackend(options, {options.max_batch_tokens, options.max_candidates, options.max_top_candidates});
  if (const std::unique_ptr<Backend> planner = backend_->MakePlanner()) {
    const Parts counted = Build(*planner, checkpoint);
    backend_->Reserve(*planner);
  }
  LoadProgress progress(options.model_directory, checkpoint.bytes());
  backend_->WatchLoading(&progress);
  parts_ = Build(*backend_, checkpoint);
  backend_->WatchLoading(nullptr);
}

ModelEngine::Parts ModelEngine::Build(Backend& backend, const Checkpoint& checkpoint) {
  Parts parts;
  parts.model = LoadModel(backend, checkpoint,
                          {options_.max_batch_tokens, options_.page_tokens, options_.max_slots, options_.max_pages});
  const ModelFacts& facts = parts.model->facts();
  options_.approximate_cache &= options_.max_pages > 0 && (facts.attention == SFUMATO_ATTENTION_FULL ||
                                                           facts.attention == SFUMATO_ATTENTION_FULL_OR_BLOCK_CAUSAL);
  if (options_.max_pages > 0 && !facts.key_value_cache && !options_.approximate_cache) {
    Fail(SFUMATO_FAILED_PRECONDITION, "max_pages", options_.max_pages,
         "0, since family " + facts.family + " keeps no key-value cache but an approximate one");
  }
  parts.buffers = std::make_unique<StepBuffers>(options_, facts.max_positions);
  parts.planner = std::make_unique<StepPlanner>(options_, facts, static_cast<int64_t>(parts.buffers->pages.size()));
  backend.BeginStep(parts.planner->layout());  // allocates what layouts need
  backend.EndStep();
  return parts;
}

sfumato_info ModelEngine::Info() const {
  const ModelFacts& facts = parts_.model->facts();
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
  info.state_bytes =
      backend_->allocated_bytes() + backend_->WorkBytes() + parts_.buffers->bytes() + parts_.planner->bytes();
  CopyText(backend_->DeviceName(), info.device);
  info.page_bytes = backend_->page_bytes();
  const DeviceMemory memory = backend_->Memory();
  info.device_bytes = memory.reserved;
  info.device_free_bytes = memory.free;
  info.device_total_bytes = memory.total;
  return info;
}

void ModelEngine::Plan(int32_t item_count) { parts_.planner->Plan(*parts_.buffers, item_count); }

void ModelEngine::Run(float* logits, uint64_t capacity) {
  const StepLayout& layout = parts_.planner->layout();
  if (logits != nullptr) {
    const auto needed =
        static_cast<uint64_t>(parts_.planner->output_rows()) * static_cast<uint64_t>(parts_.model->facts().vocabulary);
    if (capacity < needed) Fail(SFUMATO_INVALID_ARGUMENT, "capacity", capacity, std::to_string(needed) + " or more");
  }
  parts_.planner->RefreshTokens(*parts_.buffers);
  if (layout.rows() == 0) return;
  backend_->BeginStep(layout);
  const OperandView hidden = parts_.model->Forward(layout);
  if (!layout.candidates.empty()) {
    backend_->Candidates({&layout, hidden, &parts_.model->head(), parts_.model->head_bias(), parts_.buffers->Outputs(),
                          logits, parts_.model->logit_cap(), parts_.model->soft_embeddings()});
  }
  backend_->EndStep();
}

void ModelEngine::CopyState(int32_t from_slot, int32_t to_slot) {
  CheckSlot("from_slot", from_slot);
  CheckSlot("to_slot", to_slot);
  parts_.model->CopyState(from_slot, to_slot);
}

void ModelEngine::ResetSlot(int32_t slot) {
  CheckSlot("slot", slot);
  parts_.model->ResetSlot(slot);
}

int32_t ModelEngine::ReadProfile(sfumato_profile_entry* entries, int32_t capacity, bool reset) {
  int32_t count = 0;
  const auto write = [&](const char* name, const Profile::Entry& source) {
    if (source.calls == 0 || count == capacity) return;
    sfumato_profile_entry& entry = entries[count++];
    entry = {};
    CopyText(name, entry.name);
    entry.calls = source.calls;
    entry.nanoseconds = source.nanoseconds;
    entry.operations = source.operations;
  };
  Profile& profile = backend_->profile();
  for (int part = 0; part < kPartCount; ++part)
    write(PartName(static_cast<Part>(part)), profile.entry(static_cast<Part>(part)));
  for (const auto& [name, entry] : profile.kernels()) write(name.c_str(), entry);
  if (reset) profile.Reset();
  return count;
}

void ModelEngine::CheckSlot(const char* name, int32_t slot) const { CheckRange(name, slot, 0, options_.max_slots - 1); }

}  // namespace sfumato
