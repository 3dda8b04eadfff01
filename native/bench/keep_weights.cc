// Writes a model with its weights as a format of the CUDA core keeps them: sfumato_keep_weights DIR fp8|int4 OUTPUT [TENSOR...]
// The named tensors stay as they are.
#include <iostream>

#include "cpu/cpu_backend.h"
#include "kept_weights.h"

int main(int argc, char** argv) {
  const std::string format = argc > 3 ? argv[2] : "";
  if (format != "fp8" && format != "int4") {
    std::cerr << "usage: sfumato_keep_weights DIR fp8|int4 OUTPUT [TENSOR...]\n";
    return 2;
  }
  try {
    sfumato::bench::PackingNotes<sfumato::cpu::CpuBackend> backend(
        sfumato::BestInstructionSet(), sfumato::ProductFormat::kFloat32, 1, sfumato::BackendLimits{16, 16, 0});
    sfumato::bench::WriteKeptCheckpoint(
        argv[1], format == "fp8" ? sfumato::cuda::WeightFormat::kFp8 : sfumato::cuda::WeightFormat::kInt4,
        {argv + 4, argv + argc}, backend, argv[3]);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
