// Philox blocks turned into uniforms and normals, several blocks at a time.
#include "assay/noise/noise.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "assay/core/error.h"
#include "assay/noise/box_muller.h"
#include "assay/noise/philox.h"

// One body, compiled for three instruction sets, chosen when the program starts. Sanitizers and
// other processors take the plain one: the bits are the same.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__SANITIZE_ADDRESS__)
#define ASSAY_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ASSAY_CLONES
#endif

namespace assay {
namespace {

constexpr size_t kBlocks = 128;  // at a time: 2 KiB of words, which stay in the first-level cache

struct Words {
  alignas(64) uint32_t word[4][kBlocks];
};

struct Stream {
  uint32_t key[2];
  uint32_t replica;
  uint32_t example[2];

  std::array<uint32_t, 4> block(uint32_t index) const {
    return philox4x32({index, replica, example[0], example[1]}, {key[0], key[1]});
  }
};

Stream open_stream(Seed seed, int64_t example, int64_t replica) {
  if (replica < 0 || replica > int64_t{0xFFFFFFFF}) {
    throw Error("noise.range", fmt::format("replica {} is outside [0, 2^32)", replica));
  }
  const uint64_t key = seed.value();
  const uint64_t id = static_cast<uint64_t>(example);
  return {{static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)},
          static_cast<uint32_t>(replica),
          {static_cast<uint32_t>(id), static_cast<uint32_t>(id >> 32)}};
}

// The rounds of philox.h across lanes: philox4x32 itself returns an array, which the compiler does
// not split into vectors.
inline void fill_words(const Stream& stream, uint32_t first_block, Words& words) {
  for (size_t i = 0; i < kBlocks; ++i) {
    uint32_t a = first_block + static_cast<uint32_t>(i);
    uint32_t b = stream.replica, c = stream.example[0], d = stream.example[1];
    uint32_t key0 = stream.key[0], key1 = stream.key[1];
    for (int round = 0; round < 10; ++round) {
      const uint64_t first = uint64_t{0xD2511F53} * a;
      const uint64_t second = uint64_t{0xCD9E8D57} * c;
      a = static_cast<uint32_t>(second >> 32) ^ b ^ key0;
      b = static_cast<uint32_t>(second);
      c = static_cast<uint32_t>(first >> 32) ^ d ^ key1;
      d = static_cast<uint32_t>(first);
      key0 += 0x9E3779B9;
      key1 += 0xBB67AE85;
    }
    words.word[0][i] = a;
    words.word[1][i] = b;
    words.word[2][i] = c;
    words.word[3][i] = d;
  }
}

ASSAY_CLONES void normal_blocks(const Stream& stream, uint32_t first_block, float* out) {
  Words words;
  fill_words(stream, first_block, words);
  for (size_t i = 0; i < kBlocks; ++i) {
    const detail::Pair left = detail::box_muller(words.word[0][i], words.word[1][i]);
    const detail::Pair right = detail::box_muller(words.word[2][i], words.word[3][i]);
    out[4 * i] = left.first;
    out[4 * i + 1] = left.second;
    out[4 * i + 2] = right.first;
    out[4 * i + 3] = right.second;
  }
}

ASSAY_CLONES void uniform_blocks(const Stream& stream, uint32_t first_block, float* out) {
  Words words;
  fill_words(stream, first_block, words);
  for (size_t i = 0; i < kBlocks; ++i) {
    for (size_t j = 0; j < 4; ++j) out[4 * i + j] = detail::unit_interval(words.word[j][i]);
  }
}

// Whole chunks straight into `out`, the rest through a buffer; short rests block by block, because
// a mask rate needs 4 numbers, not 512.
template <typename Blocks, typename Block>
void fill(const Stream& stream, std::span<float> out, const Blocks& blocks,
          const Block& one_block) {
  constexpr size_t chunk = 4 * kBlocks;
  size_t done = 0;
  for (; done + chunk <= out.size(); done += chunk) {
    blocks(stream, static_cast<uint32_t>(done / 4), out.data() + done);
  }
  const size_t rest = out.size() - done;
  if (rest > chunk / 8) {
    alignas(64) float buffer[chunk];
    blocks(stream, static_cast<uint32_t>(done / 4), buffer);
    std::copy_n(buffer, rest, out.data() + done);
    return;
  }
  for (; done < out.size(); done += 4) {
    const std::array<float, 4> values = one_block(stream.block(static_cast<uint32_t>(done / 4)));
    std::copy_n(values.begin(), std::min<size_t>(4, out.size() - done), out.data() + done);
  }
}

std::array<float, 4> normal_block(const std::array<uint32_t, 4>& words) {
  const detail::Pair left = detail::box_muller(words[0], words[1]);
  const detail::Pair right = detail::box_muller(words[2], words[3]);
  return {left.first, left.second, right.first, right.second};
}

std::array<float, 4> uniform_block(const std::array<uint32_t, 4>& words) {
  return {detail::unit_interval(words[0]), detail::unit_interval(words[1]),
          detail::unit_interval(words[2]), detail::unit_interval(words[3])};
}

}  // namespace

void uniforms(Seed stream, int64_t example, int64_t replica, std::span<float> out) {
  fill(open_stream(stream, example, replica), out, uniform_blocks, uniform_block);
}

void normals(Seed stream, int64_t example, int64_t replica, std::span<float> out) {
  fill(open_stream(stream, example, replica), out, normal_blocks, normal_block);
}

void detail::normals_scalar(Seed stream, int64_t example, int64_t replica, std::span<float> out) {
  const Stream opened = open_stream(stream, example, replica);
  for (size_t done = 0; done < out.size(); done += 4) {
    const std::array<float, 4> values = normal_block(opened.block(static_cast<uint32_t>(done / 4)));
    std::copy_n(values.begin(), std::min<size_t>(4, out.size() - done), out.data() + done);
  }
}

uint64_t bits(Seed stream, int64_t example, int64_t replica, int64_t index) {
  if (index < 0 || index > int64_t{0xFFFFFFFF}) {
    throw Error("noise.range", fmt::format("index {} is outside [0, 2^32)", index));
  }
  const Stream opened = open_stream(stream, example, replica);
  const std::array<uint32_t, 4> words = opened.block(static_cast<uint32_t>(index / 2));
  const size_t half = static_cast<size_t>(index % 2) * 2;
  return uint64_t{words[half]} | uint64_t{words[half + 1]} << 32;
}

double uniform(Seed stream, int64_t example, int64_t replica) {
  return (static_cast<double>(bits(stream, example, replica) >> 12) + 0.5) * 0x1p-52;
}

int64_t permuted(Seed stream, int64_t n, int64_t index) {
  if (n < 1 || n > int64_t{1} << 62 || index < 0 || index >= n) {
    throw Error("noise.range", fmt::format("index {} is outside [0, n) with n = {}", index, n));
  }
  if (n == 1) return 0;
  int half_bits = 1;  // the network permutes 2 · half_bits bits: fewer than 4 n values
  while (half_bits < 31 && (int64_t{1} << (2 * half_bits)) < n) ++half_bits;
  const uint32_t mask = static_cast<uint32_t>((uint64_t{1} << half_bits) - 1);
  const Stream keyed = open_stream(stream, n, 0);
  uint64_t value = static_cast<uint64_t>(index);
  do {
    uint32_t left = static_cast<uint32_t>(value >> half_bits);
    uint32_t right = static_cast<uint32_t>(value) & mask;
    for (uint32_t round = 0; round < 8; ++round) {
      const uint32_t mixed = philox4x32({right, round, keyed.example[0], keyed.example[1]},
                                        {keyed.key[0], keyed.key[1]})[0];
      const uint32_t next = left ^ (mixed & mask);
      left = right;
      right = next;
    }
    value = uint64_t{left} << half_bits | right;
  } while (value >= static_cast<uint64_t>(n));
  return static_cast<int64_t>(value);
}

}  // namespace assay
