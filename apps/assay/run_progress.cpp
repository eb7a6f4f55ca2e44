// The live line and the plain lines of a run.
#include "apps/assay/run_progress.h"

#include <fmt/format.h>

#include <algorithm>

#include "apps/assay/console.h"
#include "assay/schedule/worker_process.h"
#include "assay/store/study_folder.h"

namespace assay::cli {
namespace {

constexpr double kPlainSeconds = 10;  // between progress lines where there is no terminal

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

std::string bar(double fraction) {
  constexpr int kCells = 16;
  const int filled = static_cast<int>(fraction * kCells);
  std::string text = "▕";
  for (int i = 0; i < kCells; ++i) text += i < filled ? "█" : " ";
  return text + "▏";
}

}  // namespace

RunProgress::RunProgress(std::filesystem::path study, const std::vector<PlannedTrial>& trials,
                         int workers, const Globals& globals)
    : study_(std::move(study)),
      trials_(trials),
      globals_(globals),
      live_(is_terminal(stderr) && !globals.no_progress && !globals.quiet),
      workers_(workers),
      progress_(trials, workers) {
  for (size_t i = 0; i < trials_.size(); ++i) {
    const TrialFolder trial =
        read_trial_folder(study_ / "trials" / trials_[i].id, ReadDepth::progress);
    progress_.update(i, trial.step, trial.ended());
    if (trial.ended()) ++ended_[trial.status];
  }
  progress_.begin();
}

size_t RunProgress::index_of(const PlannedTrial& trial) const {
  return static_cast<size_t>(std::ranges::find(trials_, trial.id, &PlannedTrial::id) -
                             trials_.begin());
}

double RunProgress::elapsed() const { return seconds_between(begun_, Clock::now()); }

void RunProgress::line(const std::string& text) {
  if (globals_.quiet || globals_.no_progress) return;
  std::fprintf(stderr, "%s%s\n", std::exchange(shown_, false) ? "\r\x1b[K" : "", text.c_str());
  last_line_ = Clock::now();
}

void RunProgress::on_start(const PlannedTrial& trial) {
  running_[index_of(trial)] = "starting";
  if (globals_.verbose) line(fmt::format("start     {} ({})", trial.name, trial.id));
}

void RunProgress::on_restart(const PlannedTrial& trial, const std::string& why) {
  line(fmt::format("resume    {}  its worker was {}", trial.name, why));
}

void RunProgress::on_end(const PlannedTrial& trial, const TrialResult& result) {
  const size_t i = index_of(trial);
  running_.erase(i);
  const bool over = result.status != "stopped";
  progress_.update(i, result.step, over);
  if (over) ++ended_[result.status];
  const TrialFolder folder = read_trial_folder(study_ / "trials" / trial.id, ReadDepth::progress);
  std::string text = fmt::format("{:<9} {}", result.status, trial.name);
  if (const auto loss = last_heldout_loss(folder))
    text += fmt::format("  held-out loss {}", loss_text(loss));
  if (folder.seconds > 0) text += fmt::format("  {}", duration_text(folder.seconds));
  line(fmt::format("{}  [{}]", text, overview()));
  if (!result.reason.empty()) line(fmt::format("          {}", result.reason));
}

void RunProgress::on_stop(int signal, bool killing) {
  const bool was_quiet = globals_.quiet;
  if (was_quiet) return;
  const std::string text =
      killing
          ? "killing the workers; what they did since their last checkpoint is done again next time"
          : fmt::format("{}: waiting for {} to write a checkpoint (once more: do not wait)",
                        signal_name(signal), plural(std::ssize(running_), "worker"));
  std::fprintf(stderr, "%s%s\n", std::exchange(shown_, false) ? "\r\x1b[K" : "", text.c_str());
  stopping_ = true;
}

void RunProgress::read_running() {
  for (auto& [i, text] : running_) {
    const TrialFolder trial =
        read_trial_folder(study_ / "trials" / trials_[i].id, ReadDepth::progress);
    progress_.update(i, trial.step, false);
    if (trial.step == 0) continue;
    text = fmt::format("step {}/{}", trial.step, trials_[i].steps);
    if (!trial.losses.empty()) text += fmt::format(" loss {:.4g}", trial.losses.back().loss);
  }
  last_read_ = Clock::now();
}

std::string RunProgress::overview() const {
  std::string text = fmt::format("{}/{} ended", progress_.ended(), progress_.size());
  for (const char* status : {"diverged", "failed", "timed_out"})
    if (const auto it = ended_.find(status); it != ended_.end())
      text += fmt::format(", {} {}", it->second, status);
  text += fmt::format(", {:.0f}%", 100 * progress_.fraction());
  const auto left = progress_.seconds_left(elapsed(), static_cast<int>(running_.size()));
  if (left && progress_.ended() < progress_.size())
    text += fmt::format(", {} left", duration_text(*left));
  return text;
}

std::string RunProgress::live_line() const {
  std::string text = fmt::format(" {} {}", bar(progress_.fraction()), overview());
  for (const auto& [i, state] : running_) text += fmt::format(" · {} {}", trials_[i].name, state);
  return fit(text, terminal_width() - 1);
}

void RunProgress::on_tick() {
  if (globals_.quiet || globals_.no_progress || stopping_) return;
  if (seconds_between(last_read_, Clock::now()) >= 1) read_running();
  if (live_) {
    std::fprintf(stderr, "\r\x1b[K%s", live_line().c_str());
    shown_ = true;
  } else if (seconds_between(last_line_, Clock::now()) >= kPlainSeconds) {
    std::string text = fmt::format("running   {}", overview());
    for (const auto& [i, state] : running_) text += fmt::format(" · {} {}", trials_[i].name, state);
    line(text);
  }
}

void RunProgress::finish() {
  if (std::exchange(shown_, false)) std::fputs("\r\x1b[K", stderr);
}

}  // namespace assay::cli
