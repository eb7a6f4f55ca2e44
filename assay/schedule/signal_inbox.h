// Signals as messages: blocked, and read where the program is ready for them.
#pragma once

#include <chrono>
#include <csignal>
#include <vector>

namespace assay {

/// While it lives, SIGCHLD, SIGINT, SIGTERM, SIGHUP and SIGTSTP do nothing by themselves; wait()
/// hands them out. A signal that was ignored before (nohup) stays ignored.
class SignalInbox {
 public:
  SignalInbox();
  ~SignalInbox();
  SignalInbox(const SignalInbox&) = delete;
  SignalInbox& operator=(const SignalInbox&) = delete;

  /// Sleeps until a signal or the time-out; all that have come, none after a time-out.
  std::vector<int> wait(std::chrono::milliseconds timeout);

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace assay
