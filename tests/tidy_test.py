#!/usr/bin/env python3
"""Tests of tests/tidy.py: each rule finds what it is for, and leaves good files alone."""

import unittest

import tidy


def findings(files, allowed=""):
    report = tidy.check_files(files)
    tidy.ratchet(report, tidy.read_allowed(allowed, report))
    return [f"{file}:{line}: {message}" for file, line, message in sorted(report.findings)]


def header(body=""):
    return "// What it owns.\n#pragma once\n" + body


def function(lines, head="int f(int a)"):
    return head + " {\n" + "  a();\n" * (lines - 2) + "}\n"


class Layers(unittest.TestCase):
    def check(self, path, include, good):
        text = header(f"#include {include}\n") if path.endswith(".hpp") else f"#include {include}\n"
        found = findings({path: text})
        self.assertEqual(not found, good, f"{path} includes {include}: {found}")

    def test_rooms(self):
        for path, include, good in (
            ("gateway/core/a.hpp", '"gateway/core/b.hpp"', True),
            ("gateway/core/a.hpp", '"gateway/wire/b.hpp"', False),
            ("gateway/wire/a.cpp", '"config/b.hpp"', False),
            ("config/a.cpp", '"gateway/core/b.hpp"', True),
            ("config/a.cpp", '"routing/b.hpp"', False),
            ("routing/a.cpp", '"policies/b.hpp"', False),
            ("policies/a.cpp", '"routing/b.hpp"', False),
            ("routing/providers/a.cpp", '"routing/b.hpp"', True),
            ("routing/providers/a.cpp", '"gateway/net/b.hpp"', False),
            ("gateway/net/a.cpp", '"routing/b.hpp"', True),
            ("gateway/net/a.cpp", '"gateway/app/b.hpp"', False),
            ("gateway/app/a.cpp", '"policies/b.hpp"', True),
            ("tests/fuzz/a.cpp", '"gateway/net/b.hpp"', False),
            ("tests/unit/net/a.cpp", '"gateway/app/b.hpp"', True),
            ("tests/unit/net/a.cpp", '"support.hpp"', True),
            ("routing/a.cpp", '"b.hpp"', False),
        ):
            self.check(path, include, good)

    def test_headers_with_one_home(self):
        for path, include, good in (
            ("config/a.cpp", "<yaml-cpp/yaml.h>", True),
            ("config/a.hpp", "<yaml-cpp/yaml.h>", False),
            ("routing/a.cpp", "<yaml-cpp/yaml.h>", False),
            ("gateway/wire/dialects/a.cpp", "<simdjson.h>", True),
            ("gateway/wire/a.hpp", "<simdjson.h>", False),
            ("routing/providers/a.cpp", "<simdjson.h>", True),
            ("routing/a.cpp", "<simdjson.h>", False),
            ("gateway/net/a.cpp", "<boost/beast/http.hpp>", True),
            ("gateway/net/a.hpp", "<boost/beast/http.hpp>", False),
            ("gateway/app/a.cpp", "<boost/beast/http.hpp>", False),
            ("gateway/core/a.hpp", "<boost/asio/awaitable.hpp>", True),
            ("gateway/core/a.hpp", "<boost/asio/ip/tcp.hpp>", False),
            ("gateway/wire/a.hpp", "<boost/asio/awaitable.hpp>", False),
            ("policies/a.cpp", "<boost/asio/steady_timer.hpp>", False),
            ("gateway/net/a.cpp", "<boost/asio/ip/tcp.hpp>", True),
            ("routing/a.cpp", "<sys/socket.h>", False),
        ):
            self.check(path, include, good)

    def test_few_units_with_beast(self):
        files = {f"gateway/net/{i}.cpp": "#include <boost/beast.hpp>\n" for i in range(10)}
        self.assertEqual(findings(files), [])
        files["gateway/net/z.cpp"] = "#include <boost/beast.hpp>\n"
        self.assertEqual(len(findings(files)), 1)

    def test_codecs_have_no_clock(self):
        text = "auto t = std::chrono::steady_clock::now();\n"
        self.assertEqual(len(findings({"routing/providers/a.cpp": text})), 1)
        self.assertEqual(findings({"gateway/net/a.cpp": text}), [])
        self.assertEqual(findings({"gateway/wire/a.cpp": "// " + text}), [])


class Headers(unittest.TestCase):
    def test_opening(self):
        self.assertEqual(findings({"config/a.hpp": header()}), [])
        self.assertEqual(len(findings({"config/a.hpp": "#pragma once\n"})), 1)
        self.assertEqual(len(findings({"config/a.hpp": "// What.\n"})), 1)


class Sizes(unittest.TestCase):
    def long_function(self, text):
        found = findings({"config/a.cpp": text})
        self.assertLessEqual(len(found), 1, found)
        return bool(found)

    def test_functions(self):
        for head in ("int f(int a)", "Foo::Foo(int a) : b_(a), c_{a}", "auto f() -> std::string",
                     "bool operator==(const A& a) const noexcept", 'extern "C" int f(char* a)',
                     "template <class T>\nvoid f(std::vector<T> t = {})",
                     "Result<void> A::f()\n    const", 'TEST_CASE("x: \\"{\\" y")'):
            lines = head.count("\n")
            self.assertFalse(self.long_function(function(70 - lines, head)), head)
            self.assertTrue(self.long_function(function(71 - lines, head)), head)

    def test_what_is_no_function(self):
        filler = "  int a;\n" * 100
        rows = '  Row{"{", \'}\', R"({{{)"},\n' * 100
        for text in (f"namespace a {{\n{filler}}}\n", f"struct A : B<int> {{\n{filler}}};\n",
                     f"constexpr std::array rows{{\n{rows}}};\n", f"enum class A {{\n{rows}}};\n",
                     f"const Row rows[] = {{\n{rows}}};\n", f'extern "C" {{\n{filler}}}\n'):
            self.assertFalse(self.long_function(text), text[:40])

    def test_function_in_a_class_in_a_namespace(self):
        text = "namespace a {\nclass B {\n" + function(71, "void f() const") + "};\n}\n"
        self.assertEqual(findings({"config/a.cpp": text}),
                         ["config/a.cpp:3: function f has 71 lines, allowed are 70"])

    def test_braces_in_text_and_macros_open_nothing(self):
        text = '#define X { \\\n  {\nauto s = "{"; // {\n/* { */ char c = \'{\';\n' + function(70)
        self.assertFalse(self.long_function(text))

    def test_lines_and_files(self):
        self.assertEqual(findings({"config/a.cpp": "//" + "x" * 98 + "\n"}), [])
        self.assertEqual(len(findings({"config/a.cpp": "//" + "x" * 99 + "\n"})), 1)
        self.assertEqual(findings({"config/a.cpp": "//" + "ä" * 98 + "\n"}), [])
        self.assertEqual(len(findings({"tests/a.py": "#" + "x" * 100 + "\n"})), 1)
        self.assertEqual(findings({"config/a.cpp": "\n" * 400}), [])
        self.assertEqual(len(findings({"config/a.cpp": "\n" * 401})), 1)


class Ratchet(unittest.TestCase):
    FILES = {"config/a.cpp": function(80)}

    def test_an_entry_allows_its_size_and_no_more(self):
        self.assertEqual(findings(self.FILES, "function config/a.cpp f 80\n# comment\n"), [])
        self.assertEqual(
            findings(self.FILES, "function config/a.cpp f 79\n"),
            ["config/a.cpp:1: function f has 80 lines, its entry allows 79"])

    def test_an_entry_that_is_not_needed_is_a_finding(self):
        found = findings(self.FILES, "function config/a.cpp f 80\nfile config/a.cpp - 500\n")
        self.assertEqual(found, ["tests/tidy_allow.txt:2: no longer needed: file config/a.cpp -"])

    def test_a_broken_entry_is_a_finding(self):
        self.assertEqual(len(findings({}, "function config/a.cpp\n")), 1)

    def test_the_written_list_allows_what_there_is(self):
        report = tidy.check_files(self.FILES)
        self.assertEqual(findings(self.FILES, tidy.written_list(report)), [])


if __name__ == "__main__":
    unittest.main()
