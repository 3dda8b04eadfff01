#ifndef SFUMATO_BASE_NUMBER_FORMATS_H_
#define SFUMATO_BASE_NUMBER_FORMATS_H_

#include <bit>
#include <cstdint>

namespace sfumato {

constexpr float FromBfloat16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

/// Rounds to the nearest, ties to even; NaN stays a quiet NaN.
constexpr uint16_t ToBfloat16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

/// IEEE 754 binary16, subnormals, infinities and NaN included.
constexpr float FromFloat16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1F;
  const uint32_t mantissa = bits & 0x3FF;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide_exponent = exponent == 31 ? 0xFF : exponent + 112;
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (mantissa << 13));
}

/// E4M3 with subnormals, without infinities (FP8 of the OCP's 8-bit formats): magnitudes 2^-9 to 448.
constexpr float kMaxFloat8 = 448.0f;

constexpr float FromFloat8(uint8_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x80) << 24;
  const uint32_t magnitude = bits & 0x7F;
  if (magnitude == 0x7F) return std::bit_cast<float>(sign | 0x7FC00000);
  if (magnitude < 8) {
    const float number = static_cast<float>(magnitude) * 0x1p-9f;
    return sign != 0 ? -number : number;
  }
  return std::bit_cast<float>(sign | ((magnitude << 20) + (120u << 23)));
}

/// The least power of two by which the magnitude, finite and 2^-100 or more, is divided to 448 or less, which is 1.75 * 2^8.
constexpr float Float8ScaleOf(float magnitude) {
  const uint32_t bits = std::bit_cast<uint32_t>(magnitude);
  return std::bit_cast<float>(((bits >> 23) - 8 + ((bits & 0x7FFFFF) > 0x600000 ? 1 : 0)) << 23);
}

/// Rounds to the nearest, ties to even; what is larger becomes the largest number, NaN stays NaN.
constexpr uint8_t ToFloat8(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint8_t>(bits >> 24 & 0x80);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return sign | 0x7F;
  if (magnitude >= std::bit_cast<uint32_t>(kMaxFloat8)) return sign | 0x7E;
  // Beside 2^14 floats are multiples of 2^-9, as subnormal numbers are.
  if (magnitude < std::bit_cast<uint32_t>(0x1p-6f))
    return sign | static_cast<uint8_t>(std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0x1p14f) & 0x0F);
  const uint32_t rounded = magnitude + 0x7FFFF + (magnitude >> 20 & 1);
  return sign | static_cast<uint8_t>((rounded - (120u << 23)) >> 20);
}

}  // namespace sfumato

#endif  // SFUMATO_BASE_NUMBER_FORMATS_H_
