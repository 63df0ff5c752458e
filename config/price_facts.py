"""What two community price lists say about a model, in one form: rates by prompt length and service
tier, and the rest (windows, fees). Used by update_prices.py; exact decimals throughout.
"""

import re
from decimal import Decimal

MILLION = Decimal(1000000)
KINDS = ["input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning",
         "audio_input", "audio_output"]
# LiteLLM's stems; `_above_200k_tokens` and a service tier may follow.
STEMS = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
}
KEY = re.compile(r"(%s)(?:_above_(\d+)k_tokens)?(?:_(flex|priority|batches))?"
                 % "|".join(sorted(STEMS, key=len, reverse=True)))
GENAI_KINDS = {"input_mtok": "input", "output_mtok": "output", "cache_read_mtok": "cache_read",
               "cache_write_mtok": "cache_write", "input_audio_mtok": "audio_input",
               "output_audio_mtok": "audio_output"}


class Facts:
    """What one source says about one model at one time: rates by prompt length, and the rest."""

    def __init__(self):
        self.levels = {0: {}}  # prompts above so many tokens -> rates named there
        self.extra = {}

    def put(self, kind, above, price):
        self.levels.setdefault(above, {})[kind] = price

    def rate(self, kind, above):
        """The rate in force for prompts longer than `above`; None: not said."""
        found = None
        for level in sorted(self.levels):
            if level <= above and kind in self.levels[level]:
                found = self.levels[level][kind]
        return found


def litellm_facts(name, entry, hears):
    """Service tier -> Facts."""
    tiers = {}
    for key, value in entry.items():
        match = KEY.fullmatch(key)
        if match and value is not None:
            tier = {"batches": "batch"}.get(match[3], match[3] or "")
            above = int(match[2] or 0) * 1000
            tiers.setdefault(tier, Facts()).put(STEMS[match[1]], above, value * MILLION)
    tiers.setdefault("", Facts())
    for facts in tiers.values():
        facts.extra = litellm_extra(name, entry)
    audio = entry.get("supports_audio_input") or "audio" in entry.get("supported_modalities", [])
    for facts in tiers.values():
        if hears and audio and facts.rate("audio_input", 0) is None:
            for level in facts.levels.values():
                if "input" in level:
                    level["audio_input"] = level["input"]
        # Said of short prompts only, it would undercut the output of long ones.
        if facts.rate("reasoning", 0) == facts.rate("output", 0):
            for level in facts.levels.values():
                level.pop("reasoning", None)
    return {tier: facts for tier, facts in tiers.items()
            if not tier or (facts.rate("input", 0) is not None
                            and facts.rate("output", 0) is not None)}


def litellm_extra(name, entry):
    extra = {}
    window = entry.get("max_input_tokens") or entry.get("max_tokens")
    output = entry.get("max_output_tokens") or entry.get("max_tokens")
    if window:
        extra["context_window"] = int(window)
    if output and entry.get("mode") != "embedding":
        extra["max_output"] = int(output)
    picture = [entry[k] for k in ["output_cost_per_image"] if entry.get(k)]
    by_token = entry.get("output_cost_per_image_token")
    if by_token and picture:
        # Where a size may be chosen the largest counts: 2,520 tokens.
        extra["image"] = max(picture + [by_token * 2520] * ("gemini-3" in name))
        extra["pictures"] = True
    search = entry.get("search_context_cost_per_query") or {}
    if search:
        extra["search"] = max(search.values())
    if entry.get("input_cost_per_request"):
        extra["request"] = entry["input_cost_per_request"]
    return extra


def matches(clause, name):
    """One of genai-prices' match clauses."""
    (kind, value), = clause.items()
    if kind == "or":
        return any(matches(c, name) for c in value)
    if kind == "and":
        return all(matches(c, name) for c in value)
    return {"equals": name == value, "starts_with": name.startswith(value),
            "ends_with": name.endswith(value), "contains": value in name,
            "regex": kind == "regex" and re.search(value, name) is not None}[kind]


def patterns(clause):
    """The names, exact or with a trailing `*`, that a clause spells out."""
    (kind, value), = clause.items()
    if kind == "or":
        return [p for c in value for p in patterns(c)]
    return {"equals": [value], "starts_with": [value + "*"]}.get(kind, [])


def genai_facts(model):
    """[(from, Facts)], the present one last; prices by the hour of the day become the dearest."""
    prices = model["prices"]
    dated, hours = [], []
    for row in prices if isinstance(prices, list) else [{"prices": prices}]:
        constraint = row.get("constraint") or {}
        facts = genai_one(row["prices"])
        if model.get("context_window"):
            facts.extra["context_window"] = int(model["context_window"])
        if "start_time" in constraint:
            hours.append(facts)
        else:
            dated.append((constraint.get("start_date", ""), facts))
    dated.sort(key=lambda row: row[0])
    for facts in hours:
        dated = [(start, merge(held, facts, [])) for start, held in dated]
    return dated


def genai_one(prices):
    facts = Facts()
    for key, value in prices.items():
        if key == "requests_kcount":
            facts.extra["request"] = value / Decimal(1000)
        if key not in GENAI_KINDS:
            continue
        if isinstance(value, dict):
            facts.put(GENAI_KINDS[key], 0, value["base"])
            for tier in value["tiers"]:
                facts.put(GENAI_KINDS[key], int(tier["start"]), tier["price"])
        else:
            facts.put(GENAI_KINDS[key], 0, value)
    return facts


def merge(first, second, differences):
    """The dearer of both, kind by kind and length by length."""
    out = Facts()
    for above in sorted(set(first.levels) | set(second.levels)):
        out.levels[above] = {}
        for kind in KINDS:
            said = [r for r in (first.rate(kind, above), second.rate(kind, above))
                    if r is not None]
            if not said:
                continue
            if len(set(said)) > 1:
                differences.append((kind, above, said[0], said[1]))
            out.levels[above][kind] = max(said)
        scale_hour(first, out, above)
    out.extra = dict(first.extra)
    for name, value in second.extra.items():
        out.extra[name] = max(out.extra.get(name, value), value)
    return out


def scale_hour(first, out, above):
    """Only one source knows the price of an hour in the cache, often of short prompts only: it
    follows the input's."""
    hour, known = first.rate("cache_write_1h", 0), first.rate("input", 0)
    now = out.levels[above].get("input")
    if hour and known and now:
        out.levels[above]["cache_write_1h"] = max(first.rate("cache_write_1h", above),
                                                  hour * now / known)
