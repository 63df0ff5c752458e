#!/usr/bin/env python3
"""Checks the house rules that a compiler does not: who may include whom, how long a line, a
function and a file may be, and that every header says what it is for.

Sizes ratchet: tests/tidy_allow.txt lists what is too long today with its present size. An entry
that grows is a finding, and so is one that is no longer needed. `tidy.py --update` writes the list
anew, for a reviewer to see in the diff. Exit status 1 when there are findings."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
ALLOW = "tests/tidy_allow.txt"
FOLDERS = ("gateway", "routing", "policies", "config", "tests", "bench")

COLUMNS_MAX = 100
FUNCTION_MAX = 70
FILE_MAX = 400
BEAST_UNITS_MAX = 10

# Room -> rooms that it may include; its own always. Longest prefix wins.
LAYERS = {
    "gateway/core": (),
    "gateway/wire": ("gateway/core",),
    "config": ("gateway/core",),
    "routing": ("gateway/core", "gateway/wire", "config"),
    "policies": ("gateway/core", "gateway/wire", "config"),
    "gateway/net": ("gateway/core", "gateway/wire", "config", "routing", "policies"),
    "gateway/app": ("gateway/core", "gateway/wire", "gateway/net", "config", "routing", "policies"),
    "tests/fuzz": ("gateway/core", "gateway/wire", "config", "routing"),
}
ROOMS = sorted((*LAYERS, "tests", "bench"), key=len, reverse=True)

# What an included header is, where alone it may stand, and how to say so.
HOMES = (
    (r"yaml-cpp/", r"config/[^/]+\.cpp|tests/unit/config/.*", "YAML belongs to config/*.cpp"),
    (r"simdjson", r"(gateway/wire|routing/providers)/.*\.cpp|(tests|bench)/.*",
     "simdjson belongs to .cpp files of gateway/wire and routing/providers"),
    (r"boost/beast", r"gateway/net/[^/]+\.cpp|tests/(unit|e2e)/.*|bench/.*",
     "Beast belongs to gateway/net/*.cpp"),
    (r"boost/asio/awaitable\.hpp", r"(?!gateway/wire/|routing/providers/|config/).*",
     "codecs and config are no coroutines"),
    (r"boost/asio/(?!(use_awaitable|awaitable|this_coro)\.hpp)",
     r"(gateway/(net|app)|tests/unit|tests/e2e|bench)/.*",
     "sockets, timers and loops belong to gateway/net"),
    (r"(sys/socket|netinet/|netdb|arpa/|sys/epoll|ares)",
     r"(gateway/net|gateway/app|tests/unit|bench)/.*", "sockets belong to gateway/net"),
)

# Codecs are pure: bytes in, bytes out.
PURE = re.compile(r"^(gateway/wire|routing/providers)/")
CLOCK = re.compile(r"\b\w*_clock::now\s*\(|\bgettimeofday\b|\bclock_gettime\b")


class Report:
    """Collects findings, and the sizes that may be allowed."""

    def __init__(self):
        self.findings = []
        self.long = {}  # (kind, file, name) -> (size, line)

    def add(self, path, line, message):
        self.findings.append((path, line, message))

    def size(self, kind, path, name, size, line):
        """Notes something too long; overloads of a name count as the longest of them."""
        key = (kind, path, name)
        self.long[key] = max(self.long.get(key, (0, 0)), (size, line))


# ---- C++ as far as the checks need it ----

LITERAL = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"
      | "(?:[^"\\\n]|\\.)*"
      | (?<![0-9a-zA-Z_])'(?:[^'\\\n]|\\.)+'
    """, re.S | re.X)


def blank(text):
    """The text with comments and literals emptied, every line where it was."""
    def fill(match):
        found = match.group()
        lines = "\n" * found.count("\n")
        return lines if found.startswith("/") else '""' + lines
    return LITERAL.sub(fill, text)


def drop_preprocessor(code):
    """Without directives (and their continued lines): a brace in a macro opens nothing."""
    def fill(match):
        return "\n" * match.group().count("\n")
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", fill, code, flags=re.M)


SCOPE = re.compile(r"^(template\s*<.*>\s*)?(inline\s+)?(namespace|class|struct|union|enum)\b")
MEMBER_INIT = re.compile(r"\)[^;{}]*[^:]:[^:](?!.*->).*[\w>]$", re.S)
NO_BODY = re.compile(r"(=|\(|,|\[|\breturn|\bconstinit|\bco_return|\bco_yield)$")


def brace_kind(head, inside):
    """What a brace behind `head` opens: a scope, a function, or something within."""
    if "function" in inside:
        return "inner"
    if SCOPE.match(head) and not re.search(r"\)\s*(const|noexcept|override|\s)*$", head):
        return "scope"
    if head.startswith('extern ""') and "(" not in head:
        return "scope"
    if "(" not in head or NO_BODY.search(head) or MEMBER_INIT.search(head):
        return "inner"
    return "function"


def function_name(head):
    """A name for the allow list: what stands before the first parenthesis that has one."""
    for match in re.finditer(r"([~\w:]+(?:\s*(?:<[^<>]*>|[-+*/%<>=!&|^\[\]()]{1,3}))?)\s*\(", head):
        name = re.sub(r"\s+", "", match.group(1))
        if name not in ("alignas", "requires", "noexcept", "decltype", "if", "for", "while"):
            return name
    return "(unnamed)"


def functions(code):
    """Yields (name, first line, number of lines) of every outermost function in blanked code."""
    stack, head, head_line, line = [], "", 1, 1
    for char in code:
        if char == "\n":
            line += 1
        if char == "{":
            kind = brace_kind(head.strip(), [entry[0] for entry in stack])
            stack.append((kind, head, head_line))
            head = ""
        elif char == "}":
            if not stack:
                continue
            kind, before, first = stack.pop()
            if kind == "function":
                yield function_name(before), first, line - first + 1
            # Behind an initialiser the statement goes on: `Type x{1}, y{2};`
            head, head_line = (before + "{}", first) if kind == "inner" else ("", line)
        elif char == ";" and head.count("(") <= head.count(")"):
            head = ""
        else:
            if not head.strip():
                if char.isspace():
                    continue
                head, head_line = "", line
            head += char


# ---- the checks ----

def room_of(path):
    return next((room for room in ROOMS if path.startswith(room + "/")), None)


def check_include(path, line, target, quoted, report):
    for pattern, home, message in HOMES:
        if re.match(pattern, target) and not re.fullmatch(home, path):
            report.add(path, line, f"includes {target}: {message}")
    if not quoted:
        return
    room, other = room_of(path), room_of(target)
    if other is None:
        if room in LAYERS:
            report.add(path, line, f"includes {target}: name project headers from the root")
    elif room in LAYERS and other != room and other not in LAYERS[room]:
        report.add(path, line, f"includes {target}: {room} may not include {other}")


def check_includes(path, text, report):
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if match:
            check_include(path, number, match.group(2), match.group(1) == '"', report)


def check_header(path, text, report):
    if not text.startswith("//"):
        report.add(path, 1, "a header opens with a comment: what it owns, who calls it, its thread")
    if "#pragma once" not in text:
        report.add(path, 1, "a header needs #pragma once")


def check_lines(path, text, report):
    lines = text.splitlines()
    wide = [number for number, line in enumerate(lines, 1) if len(line) > COLUMNS_MAX]
    if wide:
        report.size("columns", path, "-", len(wide), wide[0])
    if len(lines) > FILE_MAX:
        report.size("file", path, "-", len(lines), 1)


def check_code(path, text, report):
    code = blank(text)
    if PURE.match(path):
        for match in CLOCK.finditer(code):
            line = code.count("\n", 0, match.start()) + 1
            report.add(path, line, "codecs have no clock: time comes in")
    for name, first, size in functions(drop_preprocessor(code)):
        if size > FUNCTION_MAX:
            report.size("function", path, name, size, first)


def check_beast_units(files, report):
    users = [path for path, text in files.items()
             if path.startswith("gateway/net/") and re.search(r"#\s*include\s*<boost/beast", text)]
    for path in users[BEAST_UNITS_MAX:]:
        report.add(path, 1, f"more than {BEAST_UNITS_MAX} translation units include Beast")


def check_files(files):
    """All findings about `files`, a map from path to text."""
    report = Report()
    for path, text in files.items():
        check_lines(path, text, report)
        if path.endswith(".py"):
            continue
        check_includes(path, text, report)
        check_code(path, text, report)
        if path.endswith(".hpp"):
            check_header(path, text, report)
    check_beast_units(files, report)
    return report


# ---- the ratchet ----

LIMITS = {"file": FILE_MAX, "function": FUNCTION_MAX, "columns": 0}
WORDS = {
    "file": "the file has {size} lines",
    "function": "function {name} has {size} lines",
    "columns": f"from here on {{size}} lines longer than {COLUMNS_MAX} columns",
}


def read_allowed(text, report):
    """The allow list: `kind path name size` on each line; see LIMITS for the kinds."""
    allowed = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 4 or words[0] not in LIMITS or not words[3].isdigit():
            report.add(ALLOW, number, "an entry is `file|function|columns path name size`")
            continue
        allowed[tuple(words[:3])] = (int(words[3]), number)
    return allowed


def ratchet(report, allowed):
    for key, (size, line) in report.long.items():
        kind, path, name = key
        limit, _ = allowed.get(key, (LIMITS[kind], 0))
        if size > limit:
            note = "its entry allows" if key in allowed else "allowed are"
            what = WORDS[kind].format(name=name, size=size)
            report.add(path, line, f"{what}, {note} {limit}")
    for key, (_, number) in allowed.items():
        if key not in report.long:
            report.add(ALLOW, number, f"no longer needed: {' '.join(key)}")


def written_list(report):
    lines = [f"{' '.join(key)} {size}" for key, (size, _) in sorted(report.long.items())]
    head = ("# What is longer than the rules allow, with its present size; it may not grow.\n"
            "# Written by tests/tidy.py --update; an entry that is no longer needed is an error.\n")
    return head + "".join(line + "\n" for line in lines)


def read_files():
    files = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cpp", ".hpp", ".py") and "node_modules" not in path.parts:
                files[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
    return files


def main():
    report = check_files(read_files())
    path = ROOT / ALLOW
    if sys.argv[1:] == ["--update"]:
        path.write_text(written_list(report), "utf-8")
    ratchet(report, read_allowed(path.read_text("utf-8") if path.exists() else "", report))
    for file, line, message in sorted(report.findings):
        print(f"{file}:{line}: {message}")
    count = len(report.findings)
    print(f"tidy: {count} finding{'' if count == 1 else 's'}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
