// Canonical JSON: one text for all spellings of a value, so that requests that mean the same have
// one cache key. Member order, spacing, escapes and the spelling of numbers do not matter; whatever
// else differs does. Not JSON itself: every part has its length before it, so no two values share a
// text. Pure, on text that JsonShape::read has checked.
#pragma once
#include <string>
#include <string_view>

namespace tollgate::cache {

/// Appends the canonical text of one JSON value. Of members with one name the last counts.
void append_canonical(std::string& out, std::string_view value);

/// Appends `part` with its length before it.
void append_part(std::string& out, std::string_view part);

}  // namespace tollgate::cache
