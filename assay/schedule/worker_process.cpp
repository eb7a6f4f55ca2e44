// fork and exec with the parent's death as a signal.
#include "assay/schedule/worker_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "assay/core/error.h"
#include "assay/store/atomic_file.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

// What exec needs, made before the fork: between fork and exec only async-signal-safe calls are
// allowed.
class Image {
 public:
  Image(const fs::path& program, const std::vector<std::string>& arguments, bool one_thread) {
    strings_.push_back(program.string());
    strings_.insert(strings_.end(), arguments.begin(), arguments.end());
    const size_t count = strings_.size();
    for (char** entry = environ; *entry; ++entry) {
      const std::string variable = *entry;
      const bool threads =
          variable.starts_with("OMP_NUM_THREADS=") || variable.starts_with("MKL_NUM_THREADS=");
      if (!one_thread || !threads) strings_.push_back(variable);
    }
    if (one_thread) {
      strings_.emplace_back("OMP_NUM_THREADS=1");
      strings_.emplace_back("MKL_NUM_THREADS=1");
    }
    for (size_t i = 0; i < strings_.size(); ++i) {
      if (i == count) arguments_.push_back(nullptr);
      (i < count ? arguments_ : environment_).push_back(strings_[i].data());
    }
    if (environment_.empty()) arguments_.push_back(nullptr);
    environment_.push_back(nullptr);
  }
  [[noreturn]] void exec() const {
    ::execve(arguments_[0], arguments_.data(), environment_.data());
    constexpr std::string_view text = "the worker could not be started\n";
    static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size()));
    ::_exit(127);
  }

 private:
  std::vector<std::string> strings_;
  std::vector<char*> arguments_, environment_;
};

// In the child: die with the parent, and take signals as they come by default.
void become_child(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before prctl
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null >= 0) ::dup2(null, STDIN_FILENO);
}

pid_t fork_or_throw() {
  const pid_t pid = ::fork();
  if (pid < 0) {
    throw Error("environment.process", fmt::format("cannot start a process: {}", strerror(errno)),
                "fewer workers (--workers) or a higher limit of processes (ulimit -u) may help");
  }
  return pid;
}

// While it lives, SIGINT and SIGTERM go to one child. read() then returns EINTR and is repeated.
class PassedOn {
 public:
  explicit PassedOn(pid_t child) {
    child_ = child;
    struct sigaction action {};
    action.sa_handler = [](int signal) { ::kill(child_, signal); };
    for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &action, &before_[i]);
  }
  ~PassedOn() {
    for (size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before_[i], nullptr);
  }
  PassedOn(const PassedOn&) = delete;
  PassedOn& operator=(const PassedOn&) = delete;

 private:
  static constexpr std::array<int, 2> kSignals = {SIGINT, SIGTERM};
  static inline volatile pid_t child_ = -1;
  std::array<struct sigaction, 2> before_{};
};

ProcessEnd end_of(int status) {
  if (WIFSIGNALED(status)) return {true, WTERMSIG(status)};
  return {false, WEXITSTATUS(status)};
}

}  // namespace

WorkerProcess::WorkerProcess(const fs::path& program, const std::vector<std::string>& arguments,
                             const fs::path& log) {
  const Image image(program, arguments, /*one_thread=*/true);
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) throw_write_error(log, errno);
  const pid_t parent = ::getpid();
  pid_ = fork_or_throw();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    become_child(parent);
    image.exec();
  }
  ::close(output);
}

WorkerProcess::~WorkerProcess() {
  if (poll()) return;
  send(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

std::optional<ProcessEnd> WorkerProcess::poll() {
  int status = 0;
  if (!end_ && ::waitpid(pid_, &status, WNOHANG) == pid_) end_ = end_of(status);
  return end_;
}

void WorkerProcess::send(int signal) const {
  if (!end_) ::kill(pid_, signal);
}

fs::path find_worker() {
  const char* given = std::getenv("ASSAY_WORKER");
  const fs::path worker = given && *given
                              ? fs::path(given)
                              : fs::read_symlink("/proc/self/exe").parent_path() / "assay-worker";
  if (::access(worker.c_str(), X_OK) != 0) {
    throw Error("environment.no_worker",
                fmt::format("the worker {} {}", worker.string(),
                            fs::exists(worker) ? "is not executable" : "does not exist"),
                given && *given ? "ASSAY_WORKER names it: unset it to use the one beside `assay`"
                                : "`make build` builds it, or ASSAY_WORKER names another one");
  }
  return fs::absolute(worker);
}

Captured capture(const fs::path& program, const std::vector<std::string>& arguments,
                 Signals signals) {
  const Image image(program, arguments, /*one_thread=*/false);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0)
    throw Error("environment.process", fmt::format("cannot open a pipe: {}", strerror(errno)));
  const pid_t parent = ::getpid();
  const pid_t pid = fork_or_throw();
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    become_child(parent);
    image.exec();
  }
  ::close(ends[1]);
  std::optional<PassedOn> passed_on;
  if (signals == Signals::passed_on) passed_on.emplace(pid);
  Captured captured;
  std::array<char, 1 << 14> block;
  ssize_t count = 0;
  while ((count = ::read(ends[0], block.data(), block.size())) != 0) {
    if (count > 0) captured.output.append(block.data(), static_cast<size_t>(count));
    if (count < 0 && errno != EINTR) break;
  }
  ::close(ends[0]);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  captured.end = end_of(status);
  return captured;
}

std::string signal_name(int signal) {
  const char* name = sigabbrev_np(signal);
  return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

}  // namespace assay
