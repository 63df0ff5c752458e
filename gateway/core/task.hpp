// Task: the coroutine of this house: begins when awaited, resumes its awaiter when done, hands on
// values and exceptions. What waits at the end of a chain of tasks (a socket, a timer, a Signal)
// keeps it as a Suspended. `start` runs one on its own. One thread; no task is ever interrupted:
// what it waits for is told to end instead.
#pragma once
#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "gateway/core/frame_memory.hpp"

namespace tollgate {

template <class T>
class Task;

/// What every frame of a chain has: its memory, and the frame that awaits it.
class TaskLink {
 public:
  static void* operator new(std::size_t bytes) { return FrameMemory::take(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept {
    FrameMemory::give(frame, bytes);
  }
  static std::suspend_always initial_suspend() noexcept { return {}; }

 protected:
  friend class Suspended;
  TaskLink* parent_ = nullptr;
};

/// The root of a chain: nobody awaits it, it frees itself at its end.
class Detached {
 public:
  struct promise_type : TaskLink {
    Detached get_return_object() noexcept {
      return Detached(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    static std::suspend_never final_suspend() noexcept { return {}; }
    static void return_void() noexcept {}
    /// Thrown by the completion: a bug, for whoever resumed the chain.
    [[noreturn]] static void unhandled_exception() { throw; }
  };
  void begin() const { root_.resume(); }

 private:
  explicit Detached(std::coroutine_handle<promise_type> root) : root_(root) {}
  std::coroutine_handle<promise_type> root_;
};

/// A chain that waits, in the hands of what it waits for, which resumes it once. One that is
/// dropped instead will never go on: then all of its frames are destroyed.
class Suspended {
 public:
  Suspended() = default;
  template <class Promise>
  explicit Suspended(std::coroutine_handle<Promise> leaf) : leaf_(leaf), link_(&leaf.promise()) {}
  Suspended(Suspended&& other) noexcept
      : leaf_(std::exchange(other.leaf_, nullptr)), link_(other.link_) {}
  Suspended& operator=(Suspended&& other) noexcept {
    std::swap(leaf_, other.leaf_);
    std::swap(link_, other.link_);
    return *this;
  }
  ~Suspended() {
    if (leaf_) destroy_chain();
  }

  explicit operator bool() const { return static_cast<bool>(leaf_); }
  void resume() { std::exchange(leaf_, nullptr).resume(); }
  /// The chain is ended by somebody else.
  void forget() noexcept { leaf_ = nullptr; }

 private:
  void destroy_chain() {
    TaskLink* root = link_;
    while (root->parent_ != nullptr)
      root = root->parent_;
    auto& promise = static_cast<Detached::promise_type&>(*root);
    leaf_ = nullptr;
    std::coroutine_handle<Detached::promise_type>::from_promise(promise).destroy();
  }
  std::coroutine_handle<> leaf_;
  TaskLink* link_ = nullptr;
};

template <class T>
class TaskPromise;

/// The parts of a promise that do not depend on what it brings.
class TaskPromiseBase : public TaskLink {
 public:
  struct Finish {
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    static std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
      return done.promise().awaiter_;
    }
    static void await_resume() noexcept {}
  };
  static Finish final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { thrown_ = std::current_exception(); }
  template <class Promise>
  void awaited_by(std::coroutine_handle<Promise> awaiter) {
    awaiter_ = awaiter;
    parent_ = &awaiter.promise();
  }

 protected:
  void rethrow() {
    if (thrown_) [[unlikely]] {
      std::rethrow_exception(std::exchange(thrown_, nullptr));
    }
  }
  std::coroutine_handle<> awaiter_;
  std::exception_ptr thrown_;
};

template <class T>
class TaskPromise final : public TaskPromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class Value>
  void return_value(Value&& value) {
    value_.emplace(std::forward<Value>(value));
  }
  T result() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> final : public TaskPromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  static void return_void() noexcept {}
  void result() { rethrow(); }
};

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = TaskPromise<T>;
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

  /// Begins the task; the awaiter goes on with its result.
  auto operator co_await() && noexcept { return Await{frame_}; }

 private:
  friend promise_type;
  using Frame = std::coroutine_handle<promise_type>;
  struct Await {
    Frame frame;
    static bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> awaiter) noexcept {
      frame.promise().awaited_by(awaiter);
      return frame;
    }
    T await_resume() { return frame.promise().result(); }
  };
  explicit Task(Frame frame) : frame_(frame) {}
  Frame frame_;
};

template <class T>
Task<T> TaskPromise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<TaskPromise>::from_promise(*this));
}

/// The chain under `start`; `done` is called with what was thrown, if anything, and the value.
template <class T, class Done>
Detached run_to_end(Task<T> task, Done done) {
  std::exception_ptr thrown;
  if constexpr (std::is_void_v<T>) {
    try {
      co_await std::move(task);
    } catch (...) {
      thrown = std::current_exception();
    }
    done(thrown);
  } else {
    std::optional<T> value;
    try {
      value.emplace(co_await std::move(task));
    } catch (...) {
      thrown = std::current_exception();
    }
    done(thrown, value ? std::move(*value) : T{});
  }
}

/// Runs `task` here and now up to where it first waits; it owns itself from then on.
template <class T, class Done>
void start(Task<T> task, Done done) {
  run_to_end(std::move(task), std::move(done)).begin();
}
/// The same where nobody waits for the end. What it throws is a bug, for the loop to tell.
inline void start(Task<void> task) {
  start(std::move(task), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

}  // namespace tollgate
