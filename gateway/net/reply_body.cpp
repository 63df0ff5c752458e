#include "gateway/net/reply_body.hpp"

#include <algorithm>

namespace tollgate::net {

ReplyBody::ReplyBody(const ResponseHead& head)
    : framing_(head.framing),
      left_(head.content_length),
      done_(framing_ == Framing::none || (framing_ == Framing::sized && left_ == 0)) {}

Result<ReplyBody::Step> ReplyBody::next(std::string_view input) {
  if (done_) return Step{0, {}, true};
  if (framing_ == Framing::chunked) {
    auto step = chunks_.next(input);
    if (step) done_ = step->done;
    return step;
  }
  std::string_view data = input;
  if (framing_ == Framing::sized) {
    data = input.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size())));
    left_ -= data.size();
    done_ = left_ == 0;
  }
  return Step{data.size(), data, done_};
}

std::size_t ReplyBody::finish_with(std::string_view input) {
  if (done_ || framing_ != Framing::chunked) return 0;
  ReplyBody probe = *this;
  std::size_t used = 0;
  while (!probe.done_) {
    const auto step = probe.next(input.substr(used));
    if (!step || !step->data.empty() || (step->consumed == 0 && !step->done)) return 0;
    used += step->consumed;
  }
  *this = probe;
  return used;
}

bool ReplyBody::end_of_input() {
  if (until_close()) done_ = true;
  return done_;
}

}  // namespace tollgate::net
