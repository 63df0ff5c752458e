// SeriesCache: a worker's series by what tells them apart. Looking one up makes no string, and the
// one that was asked for last, as most are, is found without hashing. One thread.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tollgate::app {

/// Numbers packed into one and names; views of the caller's.
struct SeriesKey {
  std::uint64_t number = 0;
  std::array<std::string_view, 3> names;
  bool operator==(const SeriesKey&) const = default;
};

template <class Series>
class SeriesCache {
 public:
  /// The series of that key; `make()` gives one that is new. The reference stays good.
  template <class Make>
  Series& get(const SeriesKey& key, Make make) {
    if (last_ != nullptr && last_->key == key) return last_->series;
    const auto found = entries_.find(key);
    last_ = found != entries_.end() ? found->second.get() : add(key, make());
    return last_->series;
  }

 private:
  struct Entry {
    std::array<std::string, 3> names;
    SeriesKey key;  ///< views of `names`
    Series series;
  };
  struct Hash {
    std::size_t operator()(const SeriesKey& key) const {
      std::size_t all = std::hash<std::uint64_t>()(key.number);
      for (const std::string_view name : key.names)
        all = all * 31 + std::hash<std::string_view>()(name);
      return all;
    }
  };

  Entry* add(const SeriesKey& key, Series series) {
    auto entry = std::make_unique<Entry>(Entry{.names = {}, .key = key, .series = series});
    for (std::size_t i = 0; i < key.names.size(); ++i) {
      entry->names[i] = key.names[i];
      entry->key.names[i] = entry->names[i];
    }
    const SeriesKey own = entry->key;
    return entries_.emplace(own, std::move(entry)).first->second.get();
  }

  std::unordered_map<SeriesKey, std::unique_ptr<Entry>, Hash> entries_;
  Entry* last_ = nullptr;
};

}  // namespace tollgate::app
