#include "gateway/net/descriptor.hpp"

#include <array>
#include <boost/asio/io_context.hpp>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tollgate::net {

namespace asio = boost::asio;
using asio::detail::reactor_op;

struct Descriptor::Parties {
  explicit Parties(Descriptor& of) : owner(&of), reader(*this), writer(*this) {}
  /// The last of their descriptor and the reactor to let go frees them.
  void free_if_left() {
    if (owner == nullptr && !reader.under_way_ && !writer.under_way_) delete this;
  }

  Descriptor* owner;  // nullptr: gone
  Party reader, writer;
  int alarms = 0;
};

namespace {

/// The reactor never frees what it keeps of a descriptor, it uses it again. Made one by one these
/// pieces would lie between the memory of connections long gone and pin every page of it; so they
/// are made many at a time.
class Places final : public asio::execution_context::service {
 public:
  using key_type = Places;
  static inline asio::execution_context::id id;
  explicit Places(asio::execution_context& context)
      : service(context), reactor_(asio::use_service<asio::detail::reactor>(context)) {}
  void shutdown() override {}

  void taken() {
    if (++used_ < made_) return;
    std::array<asio::detail::reactor::per_descriptor_data, batch> more{};
    // No such descriptor: it is refused, its piece stays.
    for (auto& place : more)
      reactor_.register_descriptor(-1, place);
    for (auto& place : more)
      reactor_.cleanup_descriptor_data(place);
    made_ = used_ + batch;
  }
  void given() { --used_; }

 private:
  static constexpr std::size_t batch = 256;
  asio::detail::reactor& reactor_;
  std::size_t used_ = 0, made_ = 0;
};

/// The events that the reactor was told of a descriptor last.
unsigned int& last_events(asio::detail::reactor::per_descriptor_data& place) {
  struct Peek : asio::detail::scheduler_operation {
    static unsigned int asio::detail::scheduler_operation::* result() {
      return &Peek::task_result_;
    }
  };
  // Its base is not public; a cast of this kind does not ask.
  return ((asio::detail::scheduler_operation*)place)->*Peek::result();
}

/// The socket out of Asio's hands; -1 when it is closed.
int take_over(asio::ip::tcp::socket& socket) {
  boost::system::error_code failed;
  socket.native_non_blocking(true, failed);
  const int fd = socket.release(failed);
  return failed ? -1 : fd;
}

}  // namespace

Descriptor::Descriptor(asio::ip::tcp::socket socket)
    : reactor_(asio::use_service<Reactor>(
          static_cast<asio::io_context&>(socket.get_executor().context()))),
      fd_(take_over(socket)),
      parties_(std::make_unique<Parties>(*this)) {
  asio::use_service<Places>(reactor_.context()).taken();
  if (fd_ < 0) return;
  if (reactor_.register_descriptor(fd_, place_) != 0) {
    ::close(std::exchange(fd_, -1));
    reactor_.cleanup_descriptor_data(place_);
    return;
  }
  last_events(place_) = 0;  // the place may be that of a connection that was reset
}

Descriptor::~Descriptor() {
  close();
  asio::use_service<Places>(reactor_.context()).given();
  parties_->owner = nullptr;
  parties_.release()->free_if_left();
}

Descriptor::Party& Descriptor::reader() { return parties_->reader; }
Descriptor::Party& Descriptor::writer() { return parties_->writer; }

void Descriptor::close() noexcept {
  if (fd_ < 0) return;
  reactor_.deregister_descriptor(fd_, place_, true);
  ::close(std::exchange(fd_, -1));
  reactor_.cleanup_descriptor_data(place_);
}

bool Descriptor::Party::may_wait() const {
  return both_.owner != nullptr && both_.owner->is_open();
}

void Descriptor::Party::arm(Direction direction) {
  if (under_way_) return;
  Descriptor& owner = *both_.owner;
  under_way_ = queued_ = true;
  direction_ = direction;
  ec_.clear();
  cancellation_key_ = this;
  const int type = direction == Direction::read ? Reactor::read_op : Reactor::write_op;
  guessed_ = false;
  arming_ = true;
  owner.reactor_.start_op(type, owner.fd_, owner.place_, this, true, true);
  arming_ = false;
}

void Descriptor::Party::arm_ready() {
  if (under_way_) return;
  under_way_ = true;
  ec_.clear();
  both_.owner->reactor_.post_immediate_completion(this, true);
}

void Descriptor::Party::wake() noexcept {
  if (!waiter_) return;
  woken_ = true;
  if (!queued_ || !may_wait()) return;  // it is on its way
  Descriptor& owner = *both_.owner;
  const int type = direction_ == Direction::read ? Reactor::read_op : Reactor::write_op;
  owner.reactor_.cancel_ops_by_key(owner.fd_, owner.place_, type, this);
}

/// An event came: no operation of ours reads or writes here, so there is nothing to be done but to
/// tell who waits. Saying "exhausted" makes the next wait ask the kernel for an event instead of
/// being ready at once; not so while others may stand behind us in the same queue: they would not
/// be told.
reactor_op::status Descriptor::Party::perform(reactor_op* self) {
  Party& party = *static_cast<Party*>(self);
  party.queued_ = false;
  party.drained_ = false;
  // After a reset the kernel hands out what came before, says that nothing is left, and tells of no
  // event again: the next read must be tried.
  constexpr std::uint32_t over = EPOLLERR | EPOLLHUP;
  const Parties& of = party.both_;
  if (of.owner != nullptr && (last_events(of.owner->place_) & over) != 0) party.broken_ = true;
  party.guessed_ = party.arming_;
  const Party& other = &party == &of.reader ? of.writer : of.reader;
  const bool followed = other.queued_ && other.direction_ == party.direction_;
  const bool alarm = party.direction_ == Direction::read && of.alarms > 0;
  return followed || alarm ? done : done_and_exhausted;
}

void Descriptor::Party::complete(void* loop, asio::detail::operation* self,
                                 const boost::system::error_code&, std::size_t) {
  Party& party = *static_cast<Party*>(self);
  Parties& both = party.both_;
  party.queued_ = false;
  if (loop != nullptr && both.owner != nullptr && party.waiter_) {
    party.under_way_ = false;
    return std::exchange(party.waiter_, {}).resume();
  }
  // The loop or the descriptor is gone: who waits will never go on. Its frames may hold the
  // descriptor, so this is under way until they are destroyed.
  party.waiter_ = {};
  party.under_way_ = false;
  both.free_if_left();
}

class Descriptor::Alarm::Operation final : public reactor_op {
 public:
  explicit Operation(Alarm& of)
      : reactor_op({}, &Operation::perform, &Operation::complete), alarm(&of) {
    cancellation_key_ = this;
  }
  Alarm* alarm;  // nullptr: gone

 private:
  // Not "exhausted": who reads next must not wait for an event that was spent on us.
  static status perform(reactor_op*) { return done; }
  static void complete(void* owner, asio::detail::operation* self, const boost::system::error_code&,
                       std::size_t) {
    const std::unique_ptr<Operation> ended(static_cast<Operation*>(self));
    if (ended->alarm == nullptr) return;
    ended->alarm->operation_ = nullptr;
    if (owner != nullptr && !ended->ec_) ended->alarm->ring_();
  }
};

Descriptor::Alarm::Alarm(Descriptor& descriptor, std::function<void()> ring)
    : descriptor_(descriptor), ring_(std::move(ring)) {
  ++descriptor_.parties_->alarms;
  if (!descriptor_.is_open()) return;
  operation_ = new Operation(*this);
  // Without a try before: it would take "not known" for "ready".
  descriptor_.reactor_.start_op(Reactor::read_op, descriptor_.fd_, descriptor_.place_, operation_,
                                true, false);
}

Descriptor::Alarm::~Alarm() {
  --descriptor_.parties_->alarms;
  if (operation_ == nullptr) return;
  operation_->alarm = nullptr;
  if (!descriptor_.is_open()) return;
  descriptor_.reactor_.cancel_ops_by_key(descriptor_.fd_, descriptor_.place_, Reactor::read_op,
                                         operation_);
}

}  // namespace tollgate::net
