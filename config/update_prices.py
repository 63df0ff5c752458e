#!/usr/bin/env python3
"""Rebuilds config/prices.yaml from two community price lists and prints what changed.

    config/update_prices.py MODEL_PRICES_JSON GENAI_PRICES_JSON [--out FILE] [--quiet]

The first is LiteLLM's model_prices_and_context_window.json, the second pydantic/genai-prices'
prices/data.json. Where they disagree the dearer figure is taken and named: a price that is too
high denies a call, one that is too low breaks a ceiling. Figures are exact decimals throughout.
"""

import argparse
import json
import os
import re
import sys
from decimal import Decimal

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from price_facts import (  # noqa: E402
    KINDS, Facts, genai_facts, litellm_extra, litellm_facts, matches, merge, patterns)

HERE = os.path.dirname(os.path.abspath(__file__))
# Ours -> their names. Providers of the kind openai are found by the name that operators give them.
LITELLM = {
    "openai": ["openai", "text-completion-openai"], "anthropic": ["anthropic"],
    "gemini": ["gemini"], "azure": ["azure", "azure_text"], "cohere": ["cohere", "cohere_chat"],
    "bedrock": ["bedrock", "bedrock_converse"], "mistral": ["mistral"], "groq": ["groq"],
    "deepseek": ["deepseek"], "xai": ["xai"], "together": ["together_ai"],
    "perplexity": ["perplexity"], "fireworks": ["fireworks_ai", "fireworks_ai-embedding-models"],
    "vertex": ["vertex_ai-language-models", "vertex_ai-anthropic_models",
               "vertex_ai-mistral_models", "vertex_ai-llama_models", "vertex_ai-embedding-models",
               "vertex_ai-deepseek_models", "vertex_ai-qwen_models", "vertex_ai-openai_models"],
    "cerebras": ["cerebras"], "openrouter": ["openrouter"],
}
GENAI = {"openai": "openai", "anthropic": "anthropic", "gemini": "google", "azure": "azure",
         "cohere": "cohere", "bedrock": "aws", "mistral": "mistral", "groq": "groq",
         "deepseek": "deepseek", "xai": "x-ai", "together": "together",
         "perplexity": "perplexity", "fireworks": "fireworks", "vertex": "google",
         "cerebras": "cerebras"}
PREFIX = re.compile(r"^(gemini|azure|bedrock|mistral|groq|deepseek|xai|together_ai|perplexity|"
                    r"fireworks_ai|vertex_ai|cohere|cerebras|openrouter)/")
HEARING = ("gemini", "vertex")  # audio costs what text costs where nothing else is said
MODES = {"chat", "completion", "embedding", "responses"}
FREE = ('{provider: demo, model: "*", input: 0, output: 0, context_window: 128000, '
        'max_output: 16384}')
HEADER = """\
# What models cost: US dollars a million tokens; `image` and `request` dollars each, `tools` dollars
# a use. Made by config/update_prices.py, not by hand: for prices of your own name a copy of this
# file and, behind it, your own file under `prices.files`.
# Facts: LiteLLM's model_prices_and_context_window.json (Copyright (c) Berri AI; by way of
# token-tariff, Copyright (c) 2026 Prajwal Srinivas) and pydantic/genai-prices (Copyright (c) 2025
# Pydantic Services Inc.), all under the MIT licence. Where they disagree the dearer one stands.
prices:
"""


def is_wanted(name, entry):
    if name.count("/") and re.search(r"commitment|(^|/)(us|eu|global|ap|ca|sa)(-|/)", name):
        return False  # regions and reserved capacity have prices of their own
    if entry.get("mode") in MODES:
        return True
    # Gemini's picture models answer chat requests.
    return entry.get("mode") == "image_generation" and "/v1/chat/completions" in entry.get(
        "supported_endpoints", [])


def fees(provider, model, extra):
    """image, request and tools of a row."""
    row = {k: extra[k] for k in ("image", "request") if k in extra}
    search = extra.get("search")
    if not search:
        return row
    if provider == "perplexity" or "-search-" in model:
        row["request"] = max(search, row.get("request", search))  # it always searches
    elif provider in ("anthropic", "vertex") and "claude" in model:
        row["tools"] = {"web_search": search, "web_fetch": Decimal(0)}
    else:
        row["tools"] = {"web_search": search}
    return row


def row_of(provider, model, tier, start, facts):
    """A row in the file's keys, or None where the facts do not price a chat or an embedding."""
    base = facts.levels[0]
    if "-search-" in model and provider == "openai" and not facts.extra.get("search"):
        return None  # every call searches, at a fee that nobody names
    if base.get("input") is None or all(base.get(k, 0) == 0 for k in ("input", "output")):
        return None
    row = {"provider": provider, "model": model}
    if start:
        row["from"] = start
    if tier:
        row["service_tier"] = tier
    before = {}
    lengths = []
    for above in sorted(facts.levels):
        rates = {k: facts.rate(k, above) for k in KINDS if facts.rate(k, above) is not None}
        news = {k: v for k, v in rates.items() if before.get(k) != v}
        before = rates
        if above == 0:
            row.update(news)
        elif news:
            lengths.append({"above": above} | news)
    if lengths:
        row["tiers"] = lengths
    row.update(fees(provider, model, facts.extra))
    if not tier:
        row.update({k: facts.extra[k] for k in ("context_window", "max_output")
                    if k in facts.extra})
    return row


def is_usable(model, provider):
    if provider == "openai" and ("gpt-oss" in model or (":" in model and "ft:" not in model)):
        return False  # other hosts' names: prices of the kind hold for every host
    # Its citations are paid for by a count that no reply is charged by.
    return model != "sonar-deep-research" and " " not in model


def known_names(provider, litellm, genai):
    names = {}
    for full, entry in litellm.items():
        if entry.get("litellm_provider") in LITELLM[provider] and is_wanted(full, entry):
            name = PREFIX.sub("", full)
            name += "*" if name.startswith("ft:") else ""
            held = names.get(name)
            if held is None or (entry.get("input_cost_per_token") or 0) > (
                    held.get("input_cost_per_token") or 0):
                names[name] = entry
    for model in genai.get(GENAI.get(provider), {"models": []})["models"]:
        for name in patterns(model["match"]):
            if not re.search("realtime|transcribe|tts|image|moderation", name):
                names.setdefault(name, None)
    return names


def covered(name, provider, litellm):
    """What the first source says of the models that a wildcard matches; None: nothing."""
    found = None
    for full, entry in litellm.items():
        plain = PREFIX.sub("", full)
        if entry.get("litellm_provider") not in LITELLM[provider] or not is_wanted(full, entry):
            continue
        if not plain.startswith(name[:-1]):
            continue
        tiers = litellm_facts(plain, entry, provider in HEARING)
        if found is None or plain == name[:-1]:
            found = tiers | {"": merge(tiers[""], (found or tiers)[""], [])}
        else:
            found[""] = merge(found[""], tiers[""], [])
    return found


def facts_of(name, entry, provider, litellm):
    """Service tier -> Facts of the first source."""
    if name.endswith("*"):
        return covered(name, provider, litellm) or {"": Facts()}
    if entry is None:
        return {"": Facts()}
    tiers = litellm_facts(name, entry, provider in HEARING)
    # A dated model searches for what its alias searches for.
    alias = litellm.get(re.sub(r"-\d{4}-\d\d-\d\d$", "", name))
    if "-search-" in name and alias:
        for facts in tiers.values():
            extra = litellm_extra(name, alias)
            facts.extra.setdefault("search", extra.get("search"))
    return tiers


def scaled(facts, base, now):
    """A tier's rates, raised as far as the default ones were by the other source."""
    out = Facts()
    out.extra = facts.extra
    for above, level in facts.levels.items():
        for kind, rate in level.items():
            was, is_now = base.rate(kind, above), now.rate(kind, above)
            out.put(kind, above, rate * is_now / was if was and is_now > was else rate)
    return out


def rows_for(provider, litellm, genai, differences, dropped):
    rows = []
    models = genai.get(GENAI.get(provider), {"models": []})["models"]
    if provider == "vertex":
        models = models + genai.get("anthropic", {"models": []})["models"]
    for name, entry in known_names(provider, litellm, genai).items():
        if not is_usable(name, provider):
            continue
        model = next((m for m in models if matches(m["match"], name.removesuffix("*"))), None)
        tiers = facts_of(name, entry, provider, litellm)
        history = genai_facts(model) if model else [("", Facts())]
        made = []
        for i, (start, other) in enumerate(history):
            now = combine(tiers[""], other, i + 1 == len(history), provider, name, differences)
            made.append(row_of(provider, name, "", start, now))
        made += [row_of(provider, name, tier, "", scaled(facts, tiers[""], now))
                 for tier, facts in tiers.items() if tier]
        rows += [row for row in made if row]
        if not any(made):
            dropped.append(f"{provider}/{name}")
    return rows


def combine(facts, other, present, provider, name, differences):
    if facts.extra.get("pictures"):  # there `output` is the price of pictures
        other.levels = {a: {k: v for k, v in r.items() if k != "output"}
                        for a, r in other.levels.items()}
    if not present:  # the first source only knows today's prices: it fills in what is missing
        missing = Facts()
        missing.extra = facts.extra
        hour, known = facts.rate("cache_write_1h", 0), facts.rate("input", 0)
        out = merge(missing, other, [])
        for above, level in out.levels.items():
            if hour and known and other.rate("input", above):
                level["cache_write_1h"] = hour * other.rate("input", above) / known
        return out
    found = []
    out = merge(facts, other, found)
    differences += [(f"{provider}/{name}", *difference) for difference in found]
    return out


def number(value):
    if isinstance(value, int):
        return str(value)
    text = format(value.normalize(), "f")
    whole, _, decimals = text.partition(".")
    if len(decimals) > 9:  # prices go up, never down
        text = format(value.quantize(Decimal("1e-9"), rounding="ROUND_UP").normalize(), "f")
    return text


def flow(value):
    """A value in YAML's flow style, as the reader of price files takes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(v)}" for key, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if not isinstance(value, str):
        return number(value)
    return value if re.fullmatch(r"[A-Za-z][\w./-]*|\d{4}-\d\d-\d\d", value) else f'"{value}"'


def read_rows(text):
    """Identity -> row text of a file that this tool wrote."""
    rows = {}
    for line in text.splitlines():
        if line.startswith("  - {"):
            parts = [re.search(r"\b%s: (\"[^\"]*\"|[^,}]*)" % key, line)
                     for key in ("provider", "model", "service_tier", "from")]
            names = [part[1].strip('"') if part else "" for part in parts]
            shown = f"{names[0]}/{names[1]}" + (f" {names[2]}" if names[2] else "")
            rows[shown + (f" from {names[3]}" if names[3] else "")] = line[4:].strip()
    return rows


def without_repeats(rows):
    """Leaves out exact models whose rows say what the longest wildcard's say."""
    books = {}
    for row in rows:
        body = {k: v for k, v in row.items() if k != "model"}
        books.setdefault((row["provider"], row["model"]), []).append(body)

    def repeats(row):
        provider, model = row["provider"], row["model"]
        covers = [m for p, m in books if p == provider and m.endswith("*") and m != model
                  and model.removesuffix("*").startswith(m[:-1])]
        if not covers:
            return False
        return books[provider, max(covers, key=len)] == books[provider, model]
    return [row for row in rows if not repeats(row)]


def build(litellm, genai):
    """(file's text, differences, models without a usable price)."""
    differences, dropped, rows = [], [], []
    for provider in sorted(LITELLM):
        rows += rows_for(provider, litellm, genai, differences, dropped)
    rows = without_repeats(rows)
    rows.sort(key=lambda r: (r["provider"], r["model"], r.get("service_tier", ""),
                             r.get("from", "")))
    lines = [f"  - {flow(row)}\n" for row in rows] + [f"  - {FREE}\n"]
    return HEADER + "".join(lines), differences, dropped


def changes(before, after):
    """One line for each row that came, went or changed."""
    old, new = read_rows(before), read_rows(after)
    out = [f"added    {name}" for name in new if name not in old]
    out += [f"removed  {name}" for name in old if name not in new]
    for name in new:
        if name in old and old[name] != new[name]:
            out.append(f"changed  {name}\n  was {old[name]}\n  is  {new[name]}")
    return out


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file, parse_float=Decimal,
                         parse_int=lambda digits: Decimal(digits))


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model_prices")
    parser.add_argument("genai_prices")
    parser.add_argument("--out", default=os.path.join(HERE, "prices.yaml"))
    parser.add_argument("--quiet", action="store_true", help="sums only")
    args = parser.parse_args(arguments)
    litellm = {name: entry for name, entry in load(args.model_prices).items()
               if name != "sample_spec"}
    genai = {provider["id"]: provider for provider in load(args.genai_prices)}
    text, differences, dropped = build(litellm, genai)
    before = ""
    if os.path.exists(args.out):
        with open(args.out, encoding="utf-8") as file:
            before = file.read()
    changed = changes(before, text)
    if not args.quiet:
        for model, kind, above, first, second in differences:
            where = f" above {above}" if above else ""
            print(f"differs  {model} {kind}{where}: {number(first)} and {number(second)}, "
                  f"taken {number(max(first, second))}")
        for name in dropped:
            print(f"no price {name}")
        print("\n".join(changed))
    print(f"{len(read_rows(text))} rows, {len(changed)} changed, {len(differences)} figures "
          f"differ between the sources, {len(dropped)} models without a price")
    with open(args.out, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
