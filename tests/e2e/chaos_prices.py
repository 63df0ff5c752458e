"""What each attempt of a chaos run must have been charged, by what its provider saw and said.

Prices are 1 and 2 US dollars a million tokens. Where the provider gave figures, they are the price;
where it did not, the bounds of what it can have billed are (a reply that died after its head, or
was let go: all input, and the text that was sent or what the time allows, whichever is more).
"""
from __future__ import annotations

from chaos_providers import Provider, Seen, UNHEARD

NANO_INPUT, NANO_OUTPUT = 1000, 2000  # a token
FOREIGN = 2048  # tokens that a provider of unknown making may add to a request
TOKENS_A_SECOND = 500
LET_GO = "hedge_lost"


def problem(call: int, attempts, provider: Provider) -> str:
    """Of the rows of that provider's attempts at the call; empty: none."""
    seen = provider.by_call.get(call, [])
    for attempt, asked in paired(attempts, seen):
        # What is written to a connection as its door shuts was sent, and nobody saw it.
        unseen = not seen and provider.refused and attempt["http_status"] == 0
        wrong = "" if unseen else price_problem(attempt, asked, seen)
        if wrong:
            return (f"attempt {attempt['attempt']} ({attempt['status']} {attempt['error']}, "
                    f"{attempt['http_status']}) is charged {attempt['charged_nano_usd']}: {wrong}")
    return ""


def paired(attempts, seen: list[Seen]):
    """Rows with what the provider saw of them, as far as that can be told: with replies in order;
    None where no reply came, or where more or fewer came than rows say."""
    heard = [one for one in seen if one.fate not in UNHEARD]
    answered = [a for a in attempts if a["http_status"] != 0]
    sure = len(heard) == len(answered)
    rest = iter(heard)
    for attempt in attempts:
        yield attempt, next(rest) if sure and attempt["http_status"] else None


def price_problem(attempt, asked: Seen | None, seen: list[Seen]) -> str:
    charged, status = attempt["charged_nano_usd"], attempt["http_status"]
    if attempt["usage_source"] == "provider":
        return usage_problem(attempt, asked, seen)
    if attempt["status"] == "ok":
        return "a good attempt without the provider's figures"
    if status >= 300:
        return "" if charged == 0 else "what is refused is free"
    if asked is not None:
        return estimate_problem(attempt, asked)
    if status != 0:
        return ""  # which of the requests it was cannot be told
    # Nobody answered: all that was reserved, or nothing where it was not sent, or let go.
    bounds = [one.asked.limit * NANO_OUTPUT + input_bound(one) for one in seen]
    least = min((input_bound(one) for one in seen), default=0)
    if charged == 0 or charged in bounds:
        return ""
    if bounds and least <= charged <= max(bounds) and attempt["error"] == LET_GO:
        return ""
    return f"not one of {bounds}"


def input_bound(seen: Seen) -> int:
    return (seen.asked.size + FOREIGN) * NANO_INPUT


def usage_problem(attempt, asked: Seen | None, seen: list[Seen]) -> str:
    booked = attempt["input_tokens"], attempt["output_tokens"]
    known = [asked] if asked is not None else seen
    figures = [(one.tokens.prompt, one.tokens.completion) for one in known]
    if booked not in figures:
        return f"{booked} tokens, not {figures}"
    right = booked[0] * NANO_INPUT + booked[1] * NANO_OUTPUT
    return "" if attempt["charged_nano_usd"] == right else f"not {right}"


def estimate_problem(attempt, asked: Seen) -> str:
    """Of a reply that died behind its head, or was let go: then what was sent of it may not have
    come. Some kinds count their input before they say anything."""
    counted = attempt["input_tokens"] > 0
    if counted and attempt["input_tokens"] != asked.tokens.prompt:
        return f"{attempt['input_tokens']} tokens of input, not {asked.tokens.prompt}"
    paid = asked.tokens.prompt * NANO_INPUT if counted else input_bound(asked)
    output = attempt["charged_nano_usd"] - paid
    milliseconds = (attempt["ended_at"] - attempt["started_at"]) // 1000 + 2
    by_time = milliseconds * TOKENS_A_SECOND * NANO_OUTPUT // 1000
    by_text = len(asked.said.encode()) * NANO_OUTPUT
    first = NANO_OUTPUT if counted else 0
    most = min(asked.asked.limit * NANO_OUTPUT, first + max(by_text, by_time))
    least = 0 if attempt["error"] == LET_GO else min(most, first + by_text)
    return "" if least <= output <= most else f"its output is not between {least} and {most}"
