// SIGINT and SIGTERM as a flag.
#include "apps/assay-worker/stop.h"

#include <csignal>

#include "assay/core/error.h"

namespace assay::worker {
namespace {

std::atomic<bool> stop{false};
std::atomic<int> stop_signal{0};

void request_stop(int signal) {
  stop_signal = signal;
  stop = true;
}

}  // namespace

const std::atomic<bool>& stop_on_signals() {
  std::signal(SIGTERM, request_stop);
  std::signal(SIGINT, request_stop);
  return stop;
}

int stopped_exit_code() {
  return static_cast<int>(stop_signal.load() == SIGINT ? ExitCode::interrupted
                                                       : ExitCode::terminated);
}

}  // namespace assay::worker
