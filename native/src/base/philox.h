#ifndef SFUMATO_BASE_PHILOX_H_
#define SFUMATO_BASE_PHILOX_H_

#include <array>
#include <cstdint>

namespace sfumato {

/// What a random number is for; the last word of the Philox counter.
enum class RandomPurpose : uint32_t { kInitialCanvas = 0, kTokenSampling = 1, kPositionOrder = 2 };

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011).
constexpr std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
               static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

/// The uniform number in [0, 1) that belongs to a position, a step and a block of the seed's canvas.
constexpr float Uniform(uint64_t seed, uint32_t position, uint32_t step, uint32_t block, RandomPurpose purpose) {
  const auto words = Philox4x32({position, step, block, static_cast<uint32_t>(purpose)},
                                {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return static_cast<float>(words[0] >> 8) * 0x1p-24f;
}

}  // namespace sfumato

#endif  // SFUMATO_BASE_PHILOX_H_
