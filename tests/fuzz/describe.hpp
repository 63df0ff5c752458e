// Events as text, so that two decodings can be compared after their blocks are gone. Reading every
// view here is also what shows a dangling one to the address sanitizer.
#pragma once
#include <string>

#include "gateway/core/block.hpp"

namespace tollgate::fuzz {

inline void put(std::string& out, std::string_view text) {
  out.append(std::to_string(text.size())).append(":").append(text).append(" ");
}
inline void put(std::string& out, std::uint64_t number) {
  out.append(std::to_string(number)).append(" ");
}

struct Describe {
  std::string& out;

  void operator()(const Started& e) const {
    out += "started ";
    put(out, e.id);
    put(out, e.model);
    put(out, static_cast<std::uint64_t>(e.created));
  }
  void operator()(const TextDelta& e) const { piece("text ", e.choice, e.text); }
  void operator()(const RefusalDelta& e) const { piece("refusal ", e.choice, e.text); }
  void operator()(const ReasoningDelta& e) const {
    piece("reasoning ", e.choice, e.text);
    put(out, e.signature);
    put(out, e.redacted);
  }
  void operator()(const ToolDelta& e) const {
    piece("tool ", e.choice, e.id);
    put(out, e.index);
    put(out, e.name);
    put(out, e.arguments);
    put(out, e.signature);
  }
  void operator()(const ExtraDelta& e) const {
    piece("extra ", e.choice, e.name);
    put(out, e.json);
  }
  void operator()(const Finished& e) const { piece("finished ", e.choice, to_string(e.reason)); }
  void operator()(const UsageEvent& e) const {
    const Usage& u = e.usage;
    out += "usage ";
    for (const std::uint64_t count : {u.input, u.cache_read, u.cache_write, u.cache_write_1h,
                                      u.output, u.reasoning, u.audio_input, u.audio_output})
      put(out, count);
  }
  void operator()(const Embedding& e) const { piece("embedding ", e.index, e.floats); }
  void operator()(const Ended&) const { out += "ended "; }

  void piece(const char* kind, std::uint32_t number, std::string_view text) const {
    out += kind;
    put(out, number);
    put(out, text);
  }
};

inline void describe(const Batch& batch, std::string& events, std::string& wire) {
  for (const StreamEvent& event : batch.events) {
    std::visit(Describe{events}, event);
    events += '\n';
  }
  for (const Frame& frame : batch.frames)
    wire += frame.wire;
}

}  // namespace tollgate::fuzz
