// Random numbers as pure functions of (stream, example, replica): the same bits on every machine,
// build and instruction set, in any order, from any process.
#pragma once

#include <cstdint>
#include <span>

#include "assay/core/seed.h"

namespace assay {

// Philox4x32-10 with key = the stream's seed and counter = [block | replica | example (64 bits)];
// four numbers to a block. All functions below read the same blocks: two quantities of one example
// need two streams, `seed.child("level")` and `seed.child("mask")`, or they are functions of each
// other. replica must lie in [0, 2^32); out holds at most 2^34 numbers. A shorter span is a prefix
// of a longer.

/// Uniform on the 2^23 midpoints of equal cells of (0, 1): never 0, never 1.
void uniforms(Seed stream, int64_t example, int64_t replica, std::span<float> out);

/// Standard normal by Box and Muller (1958), with polynomial logarithm, sine and cosine of our own:
/// libm differs between versions. |out| <= 6.77.
void normals(Seed stream, int64_t example, int64_t replica, std::span<float> out);

/// One uniform on (0, 1) with 52 bits.
double uniform(Seed stream, int64_t example, int64_t replica);

/// 64 random bits, the index-th of (stream, example, replica); index in [0, 2^32).
uint64_t bits(Seed stream, int64_t example, int64_t replica, int64_t index = 0);

/// Image of `index` under a permutation of 0 … n - 1 that the stream fixes: a Feistel network of
/// Philox rounds, walked until it lands below n (Black and Rogaway, "Ciphers with arbitrary finite
/// domains", CT-RSA 2002). Needs 0 <= index < n <= 2^62; throws Error noise.range.
int64_t permuted(Seed stream, int64_t n, int64_t index);

namespace detail {
/// normals() one block at a time without vector instructions: the definition that it must equal.
void normals_scalar(Seed stream, int64_t example, int64_t replica, std::span<float> out);
}  // namespace detail

}  // namespace assay
