// SIGINT and SIGTERM as a flag, for commands that leave their files in order before they end.
#pragma once

#include <atomic>

namespace assay::worker {

/// From now on the two signals set the flag instead of ending the process.
const std::atomic<bool>& stop_on_signals();

/// 130 or 143, by the signal that came.
int stopped_exit_code();

}  // namespace assay::worker
