// The template T(f): the picture of one object, a deterministic function of its factors.
#pragma once

#include <span>

#include "assay/data/world/scene.h"

namespace assay::world {

/// Adds gain · T(scene) to image [3, size, size], row-major, RGB.
///
/// With the unit u = size / 32 pixels: the centre lies at ((8.5 + x)·u, (8.5 + y)·u), y downwards;
/// the radius is 3.5·(8/3.5)^(scale/3)·u, so that the object never leaves the image. Coverage is
/// the clamped signed distance to the outline over one pixel (anti-aliased). In channel c
///   T_c = coverage · (.3 + .35·cos(2π·F·ρ/size) + .4·(p·l)/radius + .45·cos(H − 2πc/3)),
/// p = position from the centre, ρ = |p|, F = (2.5, 5, 8, 12.5)[texture] cycles per image (rings),
/// l = unit vector at angle 2π·light/8, H = 2π·hue/8 (red, …, pink).
void add_object(const Scene& scene, int size, float gain, std::span<float> image);

/// E[mean over pixels and channels of T²] under the table, at size 32: V_T of the data-SNR. Exact
/// up to the table: T² does not depend on position, nor on hue once summed over channels.
double template_power(const JointTable& table);

}  // namespace assay::world
