// Cache keys: what means the same has one key, and what may change the answer has another.
#include "policies/cache/key.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include "policies/cache/canonical.hpp"

namespace tollgate::cache {
namespace {

std::string canonical(std::string_view json) {
  std::string out;
  append_canonical(out, json);
  return out;
}

const std::array<std::string_view, 3> place{"openai", "https://api.openai.com/v1", "gpt-4o-mini"};
const KeyScope acme{
    .tenant = "acme", .shared = false, .model = "gpt", .rest = {}, .targets = place};

Digest key(std::string body, const KeyScope& scope = acme,
           const std::vector<RawField>* defaults = nullptr) {
  auto view = wire::openai_chat().read(Endpoint::chat, body);
  REQUIRE(view);
  view->set_defaults(defaults);
  return key_of(scope, *view);
}

std::string body(const std::string& more) {
  return R"({"model":"gpt","messages":[{"role":"user","content":"hi"}])" + more + "}";
}

/// A JSON value by chance, as a tree that can be spelled in many ways.
class Value {
 public:
  Value(std::mt19937& random, int depth) {
    kind_ = static_cast<int>(random() % (depth > 0 ? 6U : 4U));
    const auto below = random() % 4;
    number_ = static_cast<int>(random() % 2000) - 1000;
    text_ = std::string("t\"\\\n\xC3\xA9/") + std::to_string(random() % 50);
    for (unsigned i = 0; i < below && kind_ >= 4; ++i)
      items_.emplace_back("k" + std::to_string(i), Value(random, depth - 1));
  }

  /// Changes one leaf, or the value itself.
  void change(std::mt19937& random) {
    if (!items_.empty() && random() % 4 != 0) {
      return items_[random() % items_.size()].second.change(random);
    }
    kind_ = 2;
    number_ += 5000;
  }

  [[nodiscard]] std::string spell(std::mt19937& random) const {
    const auto space = [&] { return std::string(random() % 3, " \n\t"[random() % 3]); };
    std::string out = space();
    if (kind_ == 0) out += "null";
    if (kind_ == 1) out += number_ > 0 ? "true" : "false";
    if (kind_ == 2) out += number(random);
    if (kind_ == 3) out += quoted(text_, random);
    if (kind_ >= 4) out += container(random, space);
    return out + space();
  }

 private:
  [[nodiscard]] std::string number(std::mt19937& random) const {
    const std::string plain = std::to_string(number_);
    switch (random() % 5) {
      case 0:
        return plain + ".000";
      case 1:
        return plain + "e0";
      case 2:
        return plain + "00E-2";
      case 3:
        return plain + ".0e+00";
      default:
        return plain;
    }
  }
  static std::string quoted(const std::string& text, std::mt19937& random) {
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool wide = text[i] == '\xC3';
      if (wide && random() % 2 == 0) {
        out += random() % 2 == 0 ? "\\u00e9" : "\\u00E9";
        ++i;
      } else if (text[i] == '"' || text[i] == '\\') {
        (out += '\\') += text[i];
      } else if (text[i] == '\n') {
        out += random() % 2 == 0 ? "\\n" : "\\u000a";
      } else if (text[i] == '/' && random() % 2 == 0) {
        out += "\\/";
      } else {
        out += text[i];
      }
    }
    return out + "\"";
  }
  template <class Space>
  [[nodiscard]] std::string container(std::mt19937& random, Space space) const {
    auto items = items_;
    if (kind_ == 5) std::ranges::shuffle(items, random);
    std::string out(1, kind_ == 5 ? '{' : '[');
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += ',';
      if (kind_ == 5) out += space() + quoted(items[i].first, random) + space() + ":";
      out += items[i].second.spell(random);
    }
    return out + space() + (kind_ == 5 ? '}' : ']');
  }

  int kind_ = 0, number_ = 0;
  std::string text_;
  std::vector<std::pair<std::string, Value>> items_;
};

}  // namespace

TEST_CASE("canonical: every spelling of a value has one text, and no other value has it") {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    Value value(random, 4);
    const std::string one = value.spell(random), other = value.spell(random);
    CAPTURE(one);
    CAPTURE(other);
    REQUIRE(canonical(one) == canonical(other));
    value.change(random);
    REQUIRE(canonical(one) != canonical(value.spell(random)));
  }
}

TEST_CASE("canonical: numbers are compared by value, however large") {
  const auto same = [](const char* a, const char* b) { return canonical(a) == canonical(b); };
  CHECK(same("1", "1.0"));
  CHECK(same("1", "1e0"));
  CHECK(same("100", "1E+2"));
  CHECK(same("0.1", "1e-1"));
  CHECK(same("0", "-0"));
  CHECK(same("0", "0.00e5"));
  CHECK(same("-1.50", "-15e-1"));
  CHECK(!same("1", "-1"));
  CHECK(!same("1", "10"));
  CHECK(!same("1", "\"1\""));
  CHECK(!same("9007199254740993", "9007199254740992"));  // one double, two integers
  CHECK(!same("12345678901234567890123", "12345678901234567890124"));
  CHECK(!same("1e99999999999", "1e99999999998"));
  CHECK(!same("1e400", "1e401"));
}

TEST_CASE("canonical: text, names and containers cannot run into each other") {
  const std::vector<std::string> all{R"([])",           R"({})",
                                     R"([[]])",         R"([{}])",
                                     R"("")",           R"(["a","b"])",
                                     R"(["ab"])",       R"(["a",["b"]])",
                                     R"({"a":"b"})",    R"({"ab":""})",
                                     R"({"a":null})",   R"(null)",
                                     R"("null")",       R"([null])",
                                     R"(true)",         R"({"a":["b"]})",
                                     R"("1:a")",        R"(["1:a"])",
                                     R"("\ud800")",     R"("\ud801")",
                                     R"("\uFFFD")",     R"({"a":{},"b":1})",
                                     R"({"a":{"b":1}})"};
  std::set<std::string> texts;
  for (const std::string& json : all)
    texts.insert(canonical(json));
  CHECK(texts.size() == all.size());
  CHECK(canonical(R"({"a":1,"b":2,"a":3})") == canonical(R"({"b":2,"a":3})"));
}

TEST_CASE("key: who asks and how the bytes come back do not count, all else does") {
  const Digest plain = key(body(""));
  for (const char* same : {R"(,"user":"bob")", R"(,"metadata":{"trace":"7"})", R"(,"stream":true)",
                           R"(,"stream":true,"stream_options":{"include_usage":true})",
                           R"(,"safety_identifier":"x","trace":{"id":1})", R"(,"seed":null)"}) {
    CAPTURE(same);
    CHECK(key(body(same)) == plain);
  }
  std::set<Digest> others{plain};
  const std::vector<std::string> different{R"(,"temperature":0)",
                                           R"(,"temperature":0.5)",
                                           R"(,"seed":1)",
                                           R"(,"max_tokens":5)",
                                           R"(,"max_completion_tokens":5)",
                                           R"(,"unknown_field":1)",
                                           R"(,"tools":[])",
                                           R"(,"service_tier":"flex")",
                                           R"(,"stop":"a")",
                                           R"(,"unknown":{"b":1})",
                                           R"(,"response_format":{"type":"json_object"})"};
  for (const std::string& more : different)
    others.insert(key(body(more)));
  CHECK(others.size() == different.size() + 1);
}

TEST_CASE("key: tenants are apart unless they share, and so are models, endpoints and places") {
  const auto with = [](auto change) {
    KeyScope scope = acme;
    change(scope);
    return key(body(""), scope);
  };
  const std::array<std::string_view, 3> elsewhere{"openai", "https://eu.example/v1", "gpt-4o-mini"};
  std::set<Digest> all{
      key(body("")),
      with([](KeyScope& s) { s.tenant = "globex"; }),
      with([](KeyScope& s) { s.shared = true; }),
      with([](KeyScope& s) { s.model = "gpt2"; }),
      with([](KeyScope& s) { s.rest = "x"; }),
      with([&](KeyScope& s) { s.targets = elsewhere; }),
  };
  CHECK(all.size() == 6);
  CHECK(with([](KeyScope& s) { s.shared = true; }) == with([](KeyScope& s) {
          s.shared = true;
          s.tenant = "globex";
        }));
  const std::string prompt = R"({"model":"gpt","prompt":"hi","messages":[1]})";
  auto chat = wire::openai_chat().read(Endpoint::chat, prompt);
  auto completion = wire::openai_chat().read(Endpoint::completions, prompt);
  REQUIRE(chat);
  REQUIRE(completion);
  CHECK(key_of(acme, *chat) != key_of(acme, *completion));
}

TEST_CASE("key: over tenants, scopes, models and fields, one entry has one maker (a property)") {
  std::mt19937 random(7);
  const std::array<std::string_view, 3> other{"azure", "https://eu.example/v1", "gpt-4o-mini"};
  const std::array<std::string_view, 5> tenants{"a", "b", "ab", "", "shared"};
  const std::array<std::string_view, 4> models{"gpt", "gpt-4", "g", "*"},
      rests{"", "-4", "pt", "x"};
  // Two meanings may never have one key, and one meaning has one, whatever its spelling.
  using Maker = std::tuple<bool, std::string_view, std::string_view, std::string_view, bool, int>;
  std::vector<Value> fields;
  for (int i = 0; i < 12; ++i) {
    fields.emplace_back(random, 3);
    fields.back().change(random);
  }
  std::map<Digest, std::set<std::string>> meanings;
  std::map<Maker, std::set<Digest>> keys;
  for (int i = 0; i < 5000; ++i) {
    const int field = static_cast<int>(random() % fields.size());
    const bool shared = random() % 2 == 0, first = random() % 2 == 0;
    const KeyScope scope{.tenant = tenants[random() % tenants.size()],
                         .shared = shared,
                         .model = models[random() % models.size()],
                         .rest = rests[random() % rests.size()],
                         .targets = first ? place : other};
    const std::string spelled = fields[static_cast<std::size_t>(field)].spell(random);
    const Digest digest = key(body(",\"tools\":[" + spelled + "]"), scope);
    const std::string_view owner = shared ? std::string_view{} : scope.tenant;
    std::string meaning = canonical("[" + spelled + "]");
    for (const std::string_view part : {owner, scope.model, scope.rest}) {
      meaning += '\x1f';
      meaning += part;
    }
    meaning += shared ? 's' : 't';
    meaning += first ? '1' : '2';
    meanings[digest].insert(meaning);
    keys[{shared, owner, scope.model, scope.rest, first, field}].insert(digest);
  }
  CHECK(std::ranges::all_of(meanings, [](const auto& one) { return one.second.size() == 1; }));
  CHECK(std::ranges::all_of(keys, [](const auto& one) { return one.second.size() == 1; }));
  CHECK(meanings.size() > 1000);
}

TEST_CASE("key: a model's defaults count as if they had been sent") {
  const std::vector<RawField> defaults{{"temperature", "0"}, {"user", "\"house\""}};
  CHECK(key(body(""), acme, &defaults) == key(body(R"(,"temperature":0.0)")));
  CHECK(key(body(R"(,"temperature":1)"), acme, &defaults) == key(body(R"(,"temperature":1)")));
}

}  // namespace tollgate::cache
