"""Usage and cost of recorded replies equal expectations that were worked out apart from the
decoders: every token kind, caches, reasoning, tiers, fees (money.md M5, M11, M12).

expected_costs.json holds numbers only, by the recording's name: tokens by kind and nano-dollars by
kind; what is not named is 0. They follow from the recorded usage and expected_prices.yaml.
"""

import json
import pathlib

import pytest
import tools

HERE = pathlib.Path(__file__).parent
PRICES = HERE / "expected_prices.yaml"
EXPECTED = json.loads((HERE / "expected_costs.json").read_text(encoding="utf-8"))
DIALECT = {"anthropic": "anthropic", "gemini": "gemini"}  # every other group speaks OpenAI's
PROVIDER = {"openai-chat": "openai", "openai-misc": "openai"}
LEAST = 60


def cases():
    found = [pytest.param(group, recording, EXPECTED[f"{group}/{name}"], id=f"{group}-{name}")
             for group in dict.fromkeys(key.split("/")[0] for key in EXPECTED)
             for name, recording in tools.recordings(group) if f"{group}/{name}" in EXPECTED]
    return found or [pytest.param(None, None, None, id="none",
                                  marks=pytest.mark.skip(reason="no recordings here"))]


def priced(group, recording, **more):
    response = recording["response"]
    text = response.get("body_text", "")
    return tools.run_json("price_reply", {
        "kind": DIALECT.get(group, "openai"),
        "provider": PROVIDER.get(group, group),
        "endpoint": "embeddings" if recording["api"] == "embeddings" else "chat",
        "status": response["status"],
        "stream": text.lstrip().startswith(("data:", "event:", ":")),
        "headers": json.dumps({k: str(v) for k, v in response["headers"].items()}),
        "prices": PRICES,
    } | more, tools.body_of(response))


def not_zero(figures):
    return {name: value for name, value in figures.items() if value}


def test_there_are_enough_expectations_of_each_dialect():
    assert len(EXPECTED) >= LEAST
    for group in ("openai-chat", "anthropic", "gemini"):
        assert sum(key.startswith(group + "/") for key in EXPECTED) >= 20


@pytest.mark.parametrize("expected", EXPECTED.values(), ids=EXPECTED)
def test_an_expectation_adds_up(expected):
    assert sum(expected["cost"].values()) == expected["total"]


@pytest.mark.parametrize("group, recording, expected", cases())
def test_usage_and_cost_are_what_was_worked_out_by_hand(group, recording, expected):
    reply = priced(group, recording)
    usage = not_zero(reply["usage"])
    assert usage.pop("service_tier", None) == expected.get("tier")
    assert usage == expected["usage"]
    cost = not_zero(reply["cost"])
    assert cost.pop("total") == expected["total"]
    assert cost == expected["cost"]
    assert reply["price_version"].startswith("expected_prices.yaml@")


@pytest.mark.parametrize("group, recording, expected", cases())
def test_our_cost_is_the_one_that_the_provider_states(group, recording, expected):
    """xAI states what it charges, in ten-billionths of a dollar."""
    ticks = [item for item in stated(recording) if item is not None]
    if not ticks:
        pytest.skip("the provider states no cost")
    assert priced(group, recording)["cost"]["total"] * 10 == ticks[-1]


def stated(recording):
    response = recording["response"]
    lines = response.get("body_text", "").splitlines()
    items = [response["body"]] if "body" in response else [
        json.loads(line[5:]) for line in lines if line.startswith("data: {")]
    return [(item.get("usage") or {}).get("cost_in_usd_ticks") for item in items]


def test_a_price_holds_from_its_date():
    group, name = "anthropic", "013"
    recording = dict(tools.recordings(group)).get(name)
    if recording is None:
        pytest.skip("no recordings here")
    early = priced(group, recording, when="2026-08-31")["cost"]["total"]
    assert early * 3 == EXPECTED[f"{group}/{name}"]["total"] * 2
