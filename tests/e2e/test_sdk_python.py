"""The official Python SDK, unmodified, through the gateway to three scripted providers."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid

import httpx
import openai
import pydantic
import pytest

import dialects
from gateway import key, tenant_yaml

PROVIDERS = ["openai", "anthropic", "gemini"]
ASK = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["city"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "time",
            "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}},
        },
    },
]
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5E"
    "rkJggg=="
)

pytestmark = pytest.mark.threads


class Person(pydantic.BaseModel):
    name: str
    age: int


@pytest.fixture(scope="module")
def providers():
    from upstream import Upstream

    made = {name: Upstream(script) for name, script in dialects.SCRIPTS.items()}
    yield made
    for one in made.values():
        one.close()
        assert not one.errors, one.errors


@pytest.fixture(scope="module")
def gate(providers, tmp_path_factory):
    from gateway import Gateway

    made = Gateway(
        dialects.config({n: u.url for n, u in providers.items()}, tenant_yaml()),
        tmp_path_factory.mktemp("sdk"),
    )
    yield made
    made.stop()


@pytest.fixture
def client(gate):
    with openai.OpenAI(base_url=gate.base_url, api_key=key(), max_retries=0, timeout=30) as made:
        yield made


@pytest.mark.parametrize("name", PROVIDERS)
def test_chat(client, name):
    raw = client.chat.completions.with_raw_response.create(model=f"{name}/text", messages=ASK)
    reply = raw.parse()
    assert reply.choices[0].message.content == dialects.TEXT
    assert reply.choices[0].finish_reason == "stop"
    assert (
        reply.usage.prompt_tokens,
        reply.usage.completion_tokens,
        reply.usage.total_tokens,
    ) == (11, 7, 18)
    assert reply.usage.prompt_tokens_details.cached_tokens == 4
    assert raw.headers["x-tollgate-provider"] == name and raw.headers["x-tollgate-attempts"] == "1"
    assert (
        uuid.UUID(raw.headers["x-request-id"]).version == 7
        and int(raw.headers["x-tollgate-overhead-us"]) >= 0
    )


@pytest.mark.parametrize("name", PROVIDERS)
def test_stream(client, name):
    chunks = list(client.chat.completions.create(model=f"{name}/text", messages=ASK, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == dialects.TEXT
    assert [c.choices[0].delta.role for c in chunks if c.choices[0].delta.role] == ["assistant"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == ["stop"]
    assert all(
        c.choices and c.usage is None for c in chunks
    ), "a usage chunk that nobody asked for"
    assert len({(c.id, c.created, c.model) for c in chunks}) == 1


@pytest.mark.parametrize("name", PROVIDERS)
def test_stream_usage(client, name):
    chunks = list(
        client.chat.completions.create(
            model=f"{name}/text", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 18
    assert all(c.usage is None for c in chunks[:-1])


@pytest.mark.parametrize("name", PROVIDERS)
def test_async(gate, name):
    async def main():
        async with openai.AsyncOpenAI(
            base_url=gate.base_url, api_key=key(), max_retries=0
        ) as client:

            async def one():
                stream = await client.chat.completions.create(
                    model=f"{name}/text", messages=ASK, stream=True
                )
                return "".join(
                    [c.choices[0].delta.content or "" async for c in stream if c.choices]
                )

            return await asyncio.gather(*(one() for _ in range(20)))

    assert asyncio.run(main()) == [dialects.TEXT] * 20


@pytest.mark.parametrize("name", PROVIDERS)
def test_tools(client, name):
    reply = client.chat.completions.create(model=f"{name}/tools", messages=ASK, tools=TOOLS)
    call = reply.choices[0].message.tool_calls[0]
    assert (
        call.function.name == "weather"
        and json.loads(call.function.arguments) == dialects.ARGUMENTS
    )
    assert (
        reply.choices[0].finish_reason == "tool_calls" and reply.choices[0].message.content is None
    )
    history = [
        *ASK,
        reply.choices[0].message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    again = client.chat.completions.create(model=f"{name}/text", messages=history, tools=TOOLS)
    assert again.choices[0].message.content == dialects.TEXT


@pytest.mark.parametrize("name", PROVIDERS)
def test_tools_stream(client, name):
    with client.chat.completions.stream(
        model=f"{name}/tools", messages=ASK, tools=TOOLS
    ) as stream:
        final = stream.get_final_completion()
    call = final.choices[0].message.tool_calls[0]
    assert (
        call.function.name == "weather"
        and json.loads(call.function.arguments) == dialects.ARGUMENTS
    )
    assert final.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", PROVIDERS)
def test_parallel_tools(client, name, stream):
    if stream:
        with client.chat.completions.stream(
            model=f"{name}/two-tools", messages=ASK, tools=TOOLS
        ) as events:
            message = events.get_final_completion().choices[0].message
    else:
        message = (
            client.chat.completions.create(model=f"{name}/two-tools", messages=ASK, tools=TOOLS)
            .choices[0]
            .message
        )
    assert message.content == "Looking."
    assert [c.function.name for c in message.tool_calls] == ["weather", "time"]
    assert json.loads(message.tool_calls[1].function.arguments) == {"zone": "UTC"}
    assert len({c.id for c in message.tool_calls}) == 2


@pytest.mark.parametrize("name", PROVIDERS)
def test_parse(client, name):
    reply = client.chat.completions.parse(
        model=f"{name}/json", messages=ASK, response_format=Person
    )
    assert reply.choices[0].message.parsed == Person(name="Ada", age=36)
    with client.chat.completions.stream(
        model=f"{name}/json", messages=ASK, response_format=Person
    ) as stream:
        assert stream.get_final_completion().choices[0].message.parsed == Person(
            name="Ada", age=36
        )


@pytest.mark.parametrize("name", PROVIDERS)
def test_vision(client, providers, name):
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    reply = client.chat.completions.create(
        model=f"{name}/text", messages=[{"role": "user", "content": parts}]
    )
    assert reply.choices[0].message.content == dialects.TEXT
    sent = json.dumps(providers[name].requests[-1].json)
    assert PIXEL.split(",")[1] in sent and "image/png" in sent


@pytest.mark.parametrize("name", ["openai", "gemini"])
def test_embeddings(client, name):
    reply = client.embeddings.create(
        model=f"{name}/embed", input=["a", "b"]
    )  # the SDK asks for base64
    assert [d.embedding for d in reply.data] == [[0.5, -0.25, 1.0], [0.5, -0.25, 2.0]]
    floats = client.embeddings.create(model=f"{name}/embed", input="a", encoding_format="float")
    assert floats.data[0].embedding == [0.5, -0.25, 1.0]


def test_unsupported_endpoint(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model="anthropic/embed", input="a")
    assert caught.value.code == "unsupported_endpoint"


def test_models(client):
    names = [m.id for m in client.models.list()]
    assert names == ["openai-text", "anthropic-text", "gemini-text"]
    assert client.models.retrieve("openai/some/thing").id == "openai/some/thing"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


CLASSES = {
    400: openai.BadRequestError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", sorted(CLASSES))
@pytest.mark.parametrize("name", PROVIDERS)
def test_provider_errors(client, name, status, stream):
    with pytest.raises(CLASSES[status]) as caught:
        # A name for each: a model that answered 429 is left alone for a while.
        model = f"{name}/err-{status}-{stream}"
        client.chat.completions.create(model=model, messages=ASK, stream=stream)
    error = caught.value
    assert error.status_code == status and dialects.ERRORS[status] in error.message
    assert error.response.headers["x-request-id"]
    if status == 429:
        assert (
            error.code == "upstream_rate_limited" and error.response.headers["retry-after"] == "7"
        )
    if status == 500:
        assert error.response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("name", PROVIDERS)
def test_provider_refuses_our_key(client, name, status):
    """Never the client's fault: 502, so that no application throws its own key away."""
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model=f"{name}/err-{status}", messages=ASK)
    assert caught.value.status_code == 502 and caught.value.code == "upstream_auth"


def test_own_errors(gate):
    bad = openai.OpenAI(base_url=gate.base_url, api_key="tg-t-key-wrong", max_retries=0)
    with pytest.raises(openai.AuthenticationError) as caught:
        bad.chat.completions.create(model="openai/text", messages=ASK)
    assert caught.value.code == "invalid_api_key" and "wrong" not in caught.value.message
    good = openai.OpenAI(base_url=gate.base_url, api_key=key(), max_retries=0)
    with pytest.raises(openai.NotFoundError) as caught:
        good.chat.completions.create(model="nobody", messages=ASK)
    assert caught.value.code == "model_not_found" and caught.value.param == "model"
    with pytest.raises(openai.BadRequestError) as caught:
        good.chat.completions.create(model="openai/text", messages=[])
    assert caught.value.param == "messages"


@pytest.mark.parametrize("name", PROVIDERS)
def test_timeout_and_cancellation(gate, providers, name):
    """The SDK gives up: the provider's connection is closed at once; the line says client_abort."""
    quick = openai.OpenAI(
        base_url=gate.base_url, api_key=key(), max_retries=0, timeout=httpx.Timeout(0.3, connect=5)
    )
    before = len([l for l in gate.access.lines if "client_abort" in l])
    with pytest.raises(openai.APITimeoutError):
        quick.chat.completions.create(model=f"{name}/hang", messages=ASK)
    gate.access.wait(lambda l: "client_abort" in l, before + 1)
    calm = openai.OpenAI(base_url=gate.base_url, api_key=key(), max_retries=0)
    stream = calm.chat.completions.create(model=f"{name}/slow", messages=ASK, stream=True)
    next(iter(stream))
    stream.close()
    gate.access.wait(lambda l: "client_abort" in l, before + 2)


def test_many_at_once(gate):
    errors = []

    def work(n):
        try:
            client = openai.OpenAI(base_url=gate.base_url, api_key=key(), max_retries=0)
            for _ in range(5):
                name = PROVIDERS[n % 3]
                got = (
                    client.chat.completions.create(model=f"{name}/text", messages=ASK)
                    .choices[0]
                    .message.content
                )
                assert got == dialects.TEXT
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert not errors, errors[:3]
