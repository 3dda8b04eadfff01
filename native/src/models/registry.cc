#include "models/registry.h"

#include "base/error.h"
#include "models/families.h"

namespace sfumato {
namespace {

using Loader = std::unique_ptr<Model> (*)(Backend&, const Checkpoint&, const ModelLimits&);

struct Family {
  const char* model_type;
  const char* architecture;
  Loader load;
};

constexpr Family kFamilies[] = {
    {"llada", "LLaDAModelLM", LoadLlada},
    {"llada", "LLaDAMoEModelLM", LoadLladaMoe},
    {"llada2_moe", "LLaDA2MoeModelLM", LoadLlada2Moe},
    {"Dream", "DreamModel", LoadDream},
    {"a2d-qwen2", "A2DQwen2LMHeadModel", LoadA2dQwen2},
    {"a2d-qwen3", "A2DQwen3LMHeadModel", LoadA2dQwen3},
    {"sdar", "SDARForCausalLM", LoadSdar},
    {"sdar_moe", "SDARMoeForCausalLM", LoadSdarMoe},
    {"Fast_dLLM_Qwen", "Fast_dLLM_QwenForCausalLM", LoadFastDllmV2},
    {"diffusion_gemma", "DiffusionGemmaForBlockDiffusion", LoadDiffusionGemma},
    {"nemotron_labs_diffusion", "NemotronLabsDiffusionModel", LoadNemotronLabsDiffusion},
    {"modernbert", "ModernBertForMaskedLM", LoadModernBertMlm},
    {"bert", "BertForMaskedLM", LoadBertMlm},
};

}  // namespace

std::unique_ptr<Model> LoadModel(Backend& backend, const Checkpoint& checkpoint, const ModelLimits& limits) {
  const std::string model_type = checkpoint.config().Text("model_type");
  const std::string architecture = checkpoint.config().FirstTextOf("architectures");
  std::string known;
  for (const Family& family : kFamilies) {
    if (model_type == family.model_type && architecture == family.architecture)
      return family.load(backend, checkpoint, limits);
    known += std::string(known.empty() ? "" : ", ") + family.model_type + " with " + family.architecture;
  }
  Fail(SFUMATO_UNIMPLEMENTED, "config.json model_type",
       model_type.substr(0, 100) + " with " + architecture.substr(0, 100), known);
}

}  // namespace sfumato
