// How a GPU is found: the driver and the plug-in, each missing or of another kind, and an engine behind one.
#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "engine/test_engine.h"
#include "io/temporary_directory.h"
#include "plugin/cuda_driver.h"

namespace sfumato::test {
namespace {

constexpr const char* kDevices = "FAKE_CUDA_DEVICES";
constexpr const char* kPlugin = "SFUMATO_CUDA_LIBRARY";
const std::string kLibraries = SFUMATO_TEST_LIBRARIES;

class PluginTest : public testing::Test {
 protected:
  /// A library of that name that is loaded already is the one that dlopen finds.
  static void SetUpTestSuite() {
    ASSERT_NE(dlopen((kLibraries + "/libcuda.so.1").c_str(), RTLD_NOW | RTLD_LOCAL), nullptr) << dlerror();
  }

  PluginTest() { Machine("2", kLibraries + "/libsfumato_plugin_cpu.so"); }
  ~PluginTest() override {
    unsetenv(kDevices);
    unsetenv(kPlugin);
  }

  /// So many GPUs, null for a driver that fails; and the plug-in for them.
  static void Machine(const char* devices, const std::string& plugin) {
    unsetenv(kDevices);
    if (devices != nullptr) setenv(kDevices, devices, 1);
    setenv(kPlugin, plugin.c_str(), 1);
  }

  static sfumato_options Options(sfumato_device device, int32_t ordinal = 0) {
    static const std::string directory = Fixture("llada");
    sfumato_options options;
    EXPECT_EQ(sfumato_default_options(&options), SFUMATO_OK);
    options.model_directory = directory.c_str();
    options.threads = 1;
    options.device = device;
    options.device_ordinal = ordinal;
    return options;
  }

  /// What opening and checking the GPU of that number is refused with.
  static std::string Refusal(int32_t ordinal = 0) {
    const sfumato_options options = Options(SFUMATO_DEVICE_CUDA, ordinal);
    sfumato_engine* engine = nullptr;
    EXPECT_EQ(sfumato_open(&options, &engine), SFUMATO_FAILED_PRECONDITION);
    EXPECT_EQ(engine, nullptr);
    const std::string refusal = sfumato_last_error(nullptr);
    EXPECT_EQ(sfumato_check_device(SFUMATO_DEVICE_CUDA, ordinal), SFUMATO_FAILED_PRECONDITION);
    EXPECT_EQ(sfumato_last_error(nullptr), refusal);
    return refusal;
  }
};

TEST_F(PluginTest, SaysWhatIsMissing) {
  EXPECT_NE(plugin::CudaDriverProblem(0, "libnone.so.7").find("CUDA driver: libnone.so.7: cannot open"),
            std::string::npos);
  EXPECT_EQ(plugin::CudaDriverProblem(0, "libm.so.6"),
            "CUDA driver: libm.so.6 without cuInit or cuDeviceGetCount (expected: the driver of an NVIDIA GPU)");
  Machine(nullptr, "/none");
  EXPECT_EQ(Refusal(), "CUDA driver: CUDA_ERROR_NO_DEVICE (expected: a driver that finds its GPU)");
  Machine("0", "/none");
  EXPECT_EQ(Refusal(), "CUDA devices: none (expected: an NVIDIA GPU that CUDA_VISIBLE_DEVICES does not hide)");
  Machine("2", "/none");
  EXPECT_EQ(Refusal(2), "device_ordinal: 2 (expected: 0..1, of the GPUs that CUDA sees)");
  EXPECT_EQ(Refusal(),
            "CUDA plug-in: no /none (expected: a library of Sfumato for CUDA, beside libsfumato.so or where "
            "SFUMATO_CUDA_LIBRARY of the environment says)");
  Machine("2", kLibraries + "/libsfumato_plugin_old.so");
  EXPECT_EQ(Refusal(), "CUDA plug-in: " + kLibraries +
                           "/libsfumato_plugin_old.so of interface 3 (expected: interface " +
                           std::to_string(SFUMATO_ABI_VERSION) + ", as libsfumato.so has)");
  Machine("2", kLibraries + "/libcuda.so.1");
  EXPECT_EQ(Refusal().find("CUDA plug-in: " + kLibraries + "/libcuda.so.1 (expected: a library of Sfumato"), 0u);
  const TemporaryDirectory directory;
  directory.Write("libsfumato_cuda.so", "no library");
  Machine("2", directory.path() + "/libsfumato_cuda.so");
  EXPECT_NE(Refusal().find("libsfumato_cuda.so: file too short"), std::string::npos) << Refusal();
}

TEST_F(PluginTest, IsLookedForBesideTheLibrary) {
  unsetenv(kPlugin);
  const std::string refusal = Refusal();
  EXPECT_NE(refusal.find("/libsfumato_cuda.so (expected:"), std::string::npos) << refusal;
}

TEST_F(PluginTest, TellsWhatThePluginSaysOfTheDevice) {
  Machine("3", kLibraries + "/libsfumato_plugin_cpu.so");
  EXPECT_EQ(Refusal(2), "compute capability: 5.0 (expected: a GPU that runs code of sm_80)");
  EXPECT_EQ(sfumato_check_device(SFUMATO_DEVICE_CUDA, 1), SFUMATO_OK);
  EXPECT_EQ(sfumato_check_device(SFUMATO_DEVICE_CPU, 0), SFUMATO_OK);
  EXPECT_EQ(sfumato_check_device(3, 0), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_check_device(SFUMATO_DEVICE_CUDA, 64), SFUMATO_INVALID_ARGUMENT);
}

TEST_F(PluginTest, ForwardsEveryCall) {
  TestEngine cpu(Options(SFUMATO_DEVICE_CPU));
  TestEngine forwarded(Options(SFUMATO_DEVICE_CUDA, 1));
  EXPECT_STREQ(forwarded.info().family, "llada");
  EXPECT_EQ(forwarded.info().struct_size, sizeof(sfumato_info));
  EXPECT_STREQ(forwarded.info().device_note, "");
  std::vector<float> logits[2];
  int run = 0;
  for (TestEngine* engine : {&cpu, &forwarded}) {
    engine->Add({5, 281, 281, 17});
    logits[run++] = engine->RunLogits();
    engine->Run();
  }
  EXPECT_EQ(logits[0], logits[1]);
  for (int row = 0; row < 4; ++row) EXPECT_EQ(cpu.buffers().sampled_token[row], forwarded.buffers().sampled_token[row]);
  sfumato_engine* engine = forwarded.get();
  EXPECT_EQ(sfumato_copy_state(engine, 0, 1), SFUMATO_OK);
  EXPECT_EQ(sfumato_copy_state(engine, 0, 64), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(forwarded.error(), "to_slot: 64 (expected: 0..63)");
  EXPECT_EQ(sfumato_reset_slot(engine, -1), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_plan(engine, 65), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(forwarded.error().find("item_count: 65"), 0u) << forwarded.error();
  float too_few[1];
  EXPECT_EQ(sfumato_run_logits(engine, too_few, 1), SFUMATO_INVALID_ARGUMENT);
  EXPECT_EQ(sfumato_run(engine), SFUMATO_OK);
  sfumato_profile_entry entries[3];
  int32_t count = 3;
  EXPECT_EQ(sfumato_profile(engine, entries, &count, 1), SFUMATO_OK);
  EXPECT_EQ(count, 3);
  EXPECT_GT(entries[0].calls, 0);
}

TEST_F(PluginTest, RefusalsOfThePluginAreTold) {
  sfumato_options options = Options(SFUMATO_DEVICE_CUDA);
  options.max_pages = 4;
  sfumato_engine* engine = nullptr;
  EXPECT_EQ(sfumato_open(&options, &engine), SFUMATO_FAILED_PRECONDITION);
  EXPECT_EQ(std::string(sfumato_last_error(nullptr)).find("max_pages: 4"), 0u);
  options.model_directory = "/nonexistent";
  EXPECT_EQ(sfumato_open(&options, &engine), SFUMATO_NOT_FOUND);
}

TEST_F(PluginTest, AutoTakesTheGpuOrSaysWhyNot) {
  sfumato_options options = Options(SFUMATO_DEVICE_AUTO);
  EXPECT_STREQ(TestEngine(options).info().device_note, "");
  Machine(nullptr, "/none");
  EXPECT_EQ(std::string(TestEngine(options).info().device_note),
            "CUDA driver: CUDA_ERROR_NO_DEVICE (expected: a driver that finds its GPU)");
  EXPECT_STREQ(TestEngine(options).info().device, "cpu");
  Machine("1", "/none");
  EXPECT_EQ(std::string(TestEngine(options).info().device_note).find("CUDA plug-in: no /none"), 0u);
  options.product_type = SFUMATO_PRODUCT_INT8;
  EXPECT_STREQ(TestEngine(options).info().device_note, "INT8 products are the CPU's");
  options.product_type = SFUMATO_PRODUCT_AUTO;
  options.instruction_set = SFUMATO_ISA_PORTABLE;
  EXPECT_STREQ(TestEngine(options).info().device_note, "an instruction set of the CPU was asked for");
  options.device = SFUMATO_DEVICE_CPU;
  EXPECT_STREQ(TestEngine(options).info().device_note, "");
}

}  // namespace
}  // namespace sfumato::test
