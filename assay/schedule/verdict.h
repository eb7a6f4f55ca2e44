// What the end of a worker means for its trial.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "assay/core/error.h"
#include "assay/schedule/worker_process.h"

namespace assay {

enum class Verdict {
  ended,        // outcome.json says how
  stopped,      // after a checkpoint, by SIGTERM or SIGINT: resumable
  killed,       // by SIGKILL from outside: resumable
  locked,       // another process works on this trial
  environment,  // no disk, no device: the trial did nothing wrong
  crashed,      // a signal of its own making, or an exit status without outcome
};

struct WorkerEnd {
  Verdict verdict = Verdict::ended;
  std::string reason;          // for a reader: the signal, the worker's last words
  std::optional<Error> error;  // that the worker gave as its last line
};

/// Reads outcome.json and log.txt of the trial.
WorkerEnd judge(const std::filesystem::path& trial, const ProcessEnd& end);

}  // namespace assay
