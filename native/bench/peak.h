#ifndef SFUMATO_BENCH_PEAK_H_
#define SFUMATO_BENCH_PEAK_H_

namespace sfumato::bench {

/// Multiply-adds per second that one thread reaches with operands in registers, in GFLOP/s: the best of short runs over
/// about the given time.
double PeakGflops(double seconds);

/// The same of multiply-adds of 8 bits into 32, in GOP/s; 0 where the CPU has neither AVX512_VNNI nor AVX_VNNI.
double PeakInt8Gops(double seconds);

}  // namespace sfumato::bench

#endif  // SFUMATO_BENCH_PEAK_H_
