// signalfd and poll.
#include "assay/schedule/signal_inbox.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "assay/core/error.h"

namespace assay {

SignalInbox::SignalInbox() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGTSTP}) {
    struct sigaction action {};
    ::sigaction(signal, nullptr, &action);
    if (signal == SIGCHLD || action.sa_handler != SIG_IGN) sigaddset(&set, signal);
  }
  ::sigprocmask(SIG_BLOCK, &set, &before_);
  descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor_ < 0) {
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    throw Error("environment.process", std::string("signalfd: ") + strerror(errno));
  }
}

SignalInbox::~SignalInbox() {
  ::close(descriptor_);
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

std::vector<int> SignalInbox::wait(std::chrono::milliseconds timeout) {
  pollfd entry{descriptor_, POLLIN, 0};
  std::vector<int> signals;
  if (::poll(&entry, 1, static_cast<int>(timeout.count())) <= 0) return signals;
  signalfd_siginfo info;
  while (::read(descriptor_, &info, sizeof info) == static_cast<ssize_t>(sizeof info))
    signals.push_back(static_cast<int>(info.ssi_signo));
  return signals;
}

}  // namespace assay
