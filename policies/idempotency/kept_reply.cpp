#include "policies/idempotency/kept_reply.hpp"

#include "policies/ledger/archive.hpp"

namespace tollgate::policies {
namespace {

using ledger::ReadArchive;
using ledger::WriteArchive;

constexpr std::uint8_t version = 1;

// One list of members for both directions.
template <class Archive, class H, class E>
void visit(Archive& archive, H& head, E& error) {
  archive(head.status);
  archive(head.stream);
  archive(head.fields);
  bool failed = error.has_value();
  archive(failed);
  if (!failed) return;
  if constexpr (!std::is_const_v<E>) error.emplace();
  archive(error->kind);
  archive(error->origin);
  archive(error->status);
  archive(error->code);
  archive(error->message);
}

/// Counted by nobody: it goes with the call that reads it.
struct FreeRoom final : LogRoom {
  bool take(std::uint64_t) noexcept override { return true; }
};

}  // namespace

std::string write_kept(const ReplyLog& log) {
  std::string out;
  {
    WriteArchive archive(out);
    archive(version);
    const KeptHead head = log.head() != nullptr ? *log.head() : KeptHead{};
    visit(archive, head, log.error());
  }
  Pieces frames;
  log.read(0, frames);
  for (const std::string_view part : frames.parts())
    out += part;
  return out;
}

std::shared_ptr<ReplyLog> read_kept(std::string_view bytes) {
  ReadArchive archive(bytes);
  std::uint8_t written = 0;
  archive(written);
  if (written != version) return nullptr;
  KeptHead head;
  std::optional<Error> error;
  visit(archive, head, error);
  if (!archive.good()) return nullptr;
  auto log = std::make_shared<ReplyLog>();
  log->begin(std::move(head));
  Pieces frames;
  frames.view(archive.rest());
  FreeRoom room;
  log->append(frames, room);
  log->end(ReplyLog::State::done, std::move(error));
  return log;
}

}  // namespace tollgate::policies
