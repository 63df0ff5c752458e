"""The tool that rebuilds the price book: two small sources in, rows and differences out."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
TOOL = os.path.join(ROOT, "config", "update_prices.py")

LITELLM = {
    "sample_spec": {"mode": "chat"},
    "gpt-x": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 2.5e-06,
              "output_cost_per_token": 1e-05, "cache_read_input_token_cost": 1.25e-07,
              "input_cost_per_token_priority": 5e-06, "output_cost_per_token_priority": 2e-05,
              "max_input_tokens": 1000, "max_output_tokens": 100},
    "claude-y": {"litellm_provider": "anthropic", "mode": "chat", "input_cost_per_token": 3e-06,
                 "output_cost_per_token": 1.5e-05, "input_cost_per_token_above_200k_tokens": 6e-06,
                 "cache_creation_input_token_cost": 3.75e-06,
                 "cache_creation_input_token_cost_above_1hr": 6e-06,
                 "output_cost_per_token_above_200k_tokens": 2.25e-05,
                 "search_context_cost_per_query": {"search_context_size_low": 0.01,
                                                   "search_context_size_high": 0.02}},
    "gemini/free": {"litellm_provider": "gemini", "mode": "chat", "input_cost_per_token": 0,
                    "output_cost_per_token": 0},
    "dall-e": {"litellm_provider": "openai", "mode": "image_generation",
               "output_cost_per_image": 0.04},
    "deepseek/cheap": {"litellm_provider": "deepseek", "mode": "chat",
                       "input_cost_per_token": 2.8e-09, "output_cost_per_token": 5.6e-09},
}
GENAI = [
    {"id": "openai", "models": [
        {"id": "gpt-x", "match": {"or": [{"equals": "gpt-x"}, {"starts_with": "gpt-x-2"}]},
         "context_window": 2000, "prices": {"input_mtok": 3, "output_mtok": 9}}]},
    {"id": "anthropic", "models": [
        {"id": "claude-y", "match": {"equals": "claude-y"}, "prices": [
            {"prices": {"input_mtok": 2, "output_mtok": 10}},
            {"constraint": {"start_date": "2026-09-01"},
             "prices": {"input_mtok": 3, "output_mtok": 15}}]}]},
    {"id": "deepseek", "models": [
        {"id": "night", "match": {"equals": "night"}, "prices": [
            {"prices": {"input_mtok": 0.135, "output_mtok": 0.55}},
            {"constraint": {"start_time": "00:30:00Z", "end_time": "16:30:00Z"},
             "prices": {"input_mtok": 0.27, "output_mtok": 1.1}}]}]},
]


class Tool(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.out = os.path.join(self.folder.name, "prices.yaml")

    def tearDown(self):
        self.folder.cleanup()

    def run_tool(self, litellm=None, genai=None):
        paths = []
        for name, value in (("a", litellm or LITELLM), ("b", genai or GENAI)):
            paths.append(os.path.join(self.folder.name, name))
            with open(paths[-1], "w", encoding="utf-8") as file:
                json.dump(value, file)
        printed = subprocess.run([sys.executable, "-B", TOOL, *paths, "--out", self.out],
                                 check=True, capture_output=True, text=True).stdout
        with open(self.out, encoding="utf-8") as file:
            return printed, [line[4:].strip() for line in file if line.startswith("  - ")]

    def test_rows_are_exact_and_the_dearer_figure_wins(self):
        printed, rows = self.run_tool()
        self.assertIn("{provider: openai, model: gpt-x, input: 3, output: 10, cache_read: 0.125, "
                      "context_window: 2000, max_output: 100}", rows)
        self.assertIn("differs  openai/gpt-x input: 2.5 and 3, taken 3", printed)
        self.assertIn("differs  openai/gpt-x output: 10 and 9, taken 10", printed)
        self.assertIn("{provider: deepseek, model: cheap, input: 0.0028, output: 0.0056}", rows)

    def test_a_service_tier_rises_with_the_default_one(self):
        rows = self.run_tool()[1]
        self.assertIn("{provider: openai, model: gpt-x, service_tier: priority, input: 6, "
                      "output: 20}", rows)

    def test_dates_lengths_the_hour_in_the_cache_and_tools(self):
        rows = self.run_tool()[1]
        self.assertIn(
            "{provider: anthropic, model: claude-y, from: 2026-09-01, input: 3, output: 15, "
            "cache_write: 3.75, cache_write_1h: 6, tiers: [{above: 200000, input: 6, "
            "output: 22.5, cache_write_1h: 12}], tools: {web_search: 0.02, web_fetch: 0}}", rows)
        self.assertTrue(any(row.startswith("{provider: anthropic, model: claude-y, input: 2, "
                                           "output: 10, cache_write_1h: 4") for row in rows))

    def test_prices_by_the_hour_of_the_day_become_the_dearest(self):
        self.assertIn("{provider: deepseek, model: night, input: 0.27, output: 1.1}",
                      self.run_tool()[1])

    def test_what_is_no_chat_or_has_no_price_is_left_out_and_named(self):
        printed, rows = self.run_tool()
        self.assertIn("no price gemini/free", printed)
        self.assertFalse(any("dall-e" in row or "free" in row for row in rows))
        self.assertTrue(any("provider: demo" in row for row in rows))

    def test_a_wildcard_costs_what_the_dearest_model_under_it_costs(self):
        litellm = LITELLM | {"gpt-x-2026": dict(LITELLM["gpt-x"], input_cost_per_token=7e-06)}
        rows = self.run_tool(litellm)[1]
        self.assertTrue(any(row.startswith('{provider: openai, model: "gpt-x-2*", input: 7,')
                            for row in rows))

    def test_it_prints_what_changed(self):
        self.run_tool()
        self.assertIn("0 changed", self.run_tool()[0])
        litellm = {k: v for k, v in LITELLM.items() if k != "deepseek/cheap"}
        litellm["gpt-x"] = dict(litellm["gpt-x"], output_cost_per_token=2e-05)
        litellm["gpt-y"] = litellm["gpt-x"]
        printed = self.run_tool(litellm)[0]
        self.assertIn("removed  deepseek/cheap", printed)
        self.assertIn("added    openai/gpt-y", printed)
        self.assertIn("changed  openai/gpt-x\n  was {provider: openai", printed)


if __name__ == "__main__":
    unittest.main()
