// One worker process: started, signalled, waited for.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace assay {

/// How a process ended.
struct ProcessEnd {
  bool by_signal = false;
  int code = 0;  // exit status, or the signal's number

  bool operator==(const ProcessEnd&) const = default;
};

/// A child in a process group of its own, so that a Ctrl-C at the terminal reaches the parent
/// alone, which then stops the workers in order. It is killed when its parent ends, however that
/// ends. Stdin is empty; stdout and stderr go to `log`, which is emptied first: the log of a
/// resumed trial is the log of its last process. One thread for OpenMP and MKL.
class WorkerProcess {
 public:
  /// Throws Error environment.process; store.write, environment.disk_full for the log.
  WorkerProcess(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                const std::filesystem::path& log);
  ~WorkerProcess();  // kills it if it still runs
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  /// Nothing while it runs.
  std::optional<ProcessEnd> poll();
  void send(int signal) const;
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  std::optional<ProcessEnd> end_;
};

/// The worker to use: $ASSAY_WORKER, else `assay-worker` beside the running executable.
/// Throws Error environment.no_worker.
std::filesystem::path find_worker();

struct Captured {
  std::string output;  // stdout
  ProcessEnd end;
};
enum class Signals { by_default, passed_on };
/// Runs to its end; stderr is passed through. Signals::passed_on: SIGINT and SIGTERM that reach
/// this process go to that one, so that it can put its files in order, and do nothing else here.
/// Throws Error environment.process.
Captured capture(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                 Signals signals = Signals::by_default);

/// "SIGSEGV".
std::string signal_name(int signal);

}  // namespace assay
