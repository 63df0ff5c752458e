"""The gateway under valgrind's callgrind, counted in phases: what each phase of load executed in
user space, by function. Used by bench/instructions.py."""

import collections
import pathlib
import re
import shutil
import subprocess

import proxies

TOOLS = ("valgrind", "callgrind_control", "callgrind_annotate")
ROW = re.compile(r"^\s*([\d,]+) +(?:\([ \d.]+%\) +)?(\S.*)$")
OURS = "tollgate"
NAME_MAX = 100
# Brackets that are an operator's name, out of the way while the others are taken out.
OPERATOR = re.compile(r"\boperator(\(\)|<=>|<<=?|>>=?|->\*?|[<>]=?)")
HIDDEN = str.maketrans("<>()", "\1\2\3\4")
SHOWN = str.maketrans("\1\2\3\4", "<>()")


def missing_tools():
    return [name for name in TOOLS if not shutil.which(name)]


def without_nested(text, opening, closing):
    """`text` without the brackets and what stands between them."""
    out, depth = [], 0
    for letter in text:
        if letter == opening:
            depth += 1
        elif letter == closing and depth:
            depth -= 1
        elif not depth:
            out.append(letter)
    return "".join(out)


def short_name(text):
    """A row's function as a person names it: no template arguments, no parameters, nothing that
    changes from build to build; the library where it is not the gateway itself."""
    found = re.fullmatch(r"(?P<name>.*?)(?: \[(?P<object>/[^\]]*|\?+)\])?", text)
    name, home = found["name"], pathlib.PurePath(found["object"] or "").name
    name = re.sub(r"^(\?\?\?|[^ :<]*\.\w+):(?!:)", "", name)  # the source file
    name = re.sub(r"'\d+$", "", name)  # a recursion
    name = re.sub(r" \[clone \.llvm\.\d+\]", "", name)
    name = re.sub(r"\[clone \.(\w+)\]", r"[\1]", name)
    name = OPERATOR.sub(lambda sign: sign[0].translate(HIDDEN), name)
    name = name.replace("(anonymous namespace)::", "")
    name = without_nested(without_nested(name, "<", ">"), "(", ")").replace(" const", "")
    name = re.sub(r"^[\w:*&\[\] ]+ (?=[\w:~]+(?: \[|$))", "", name)  # a template's return type
    name = name.translate(SHOWN).strip()[:NAME_MAX]
    return name if home in ("", OURS) else f"{name} [{home}]"


def parse_rows(text):
    """Function -> instructions, of what callgrind_annotate printed; the total is its own row."""
    functions, total = collections.Counter(), None
    for line in text.splitlines():
        row = ROW.match(line)
        if not row:
            continue
        count, name = int(row[1].replace(",", "")), row[2]
        if "PROGRAM TOTALS" in name:
            total = count
        elif total is not None:
            functions[short_name(name)] += count
    if total is None:
        raise ValueError("callgrind_annotate printed no totals")
    return total, functions


def annotate(dump, inclusive):
    """The dump's (total, functions); the text stays beside it for people."""
    command = ["callgrind_annotate", "--threshold=100", "--auto=no", "--tree=none",
               f"--inclusive={'yes' if inclusive else 'no'}", str(dump)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kind = "inclusive" if inclusive else "self"
    dump.with_name(f"{dump.name}.{kind}.txt").write_text(text)
    return parse_rows(text)


class Counted(proxies.Tollgate):
    """The gateway under callgrind. Counting is off until `count()`: its start is not of interest,
    and ten times as fast without."""

    start_seconds = 60  # where the machine is busy

    def command(self, config):
        self.dumps = pathlib.Path(config).parent / "callgrind.out"
        for old in self.dumps.parent.glob("callgrind.out*"):
            old.unlink()
        return ["valgrind", "--tool=callgrind", "--instr-atstart=no",
                f"--callgrind-out-file={self.dumps}", *super().command(config)]

    def control(self, *words):
        done = subprocess.run(["callgrind_control", *words, str(self.process.pid)],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise SystemExit(f"instructions: callgrind_control {' '.join(words)} failed:\n"
                             f"{done.stdout}{done.stderr}")

    def count(self):
        self.control("--instr=on")

    def dump(self, number):
        """Ends a phase: writes what it executed and begins to count anew."""
        self.control("--dump")
        path = self.dumps.with_name(f"{self.dumps.name}.{number}")
        if not path.exists():
            raise SystemExit(f"instructions: callgrind wrote no {path}")
        return path
