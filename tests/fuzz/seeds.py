#!/usr/bin/env python3
"""Writes the seed corpus of every fuzz target to <out>/<target>/, out of tests/golden and a few
inputs of our own. Usage: seeds.py [out], by default build/fuzz/corpus."""

import hashlib
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
PROVIDERS = ("openai", "anthropic", "gemini", "demo")

# The order of decoder.cpp: statuses and content types by index.
STATUSES = (200, 200, 200, 400, 401, 404, 429, 500, 503, 529)
JSON_TYPE, SSE_TYPE = 0, 1
STREAM, RELAY, JSON_TOOL, BASE64, EMBEDDINGS = 1, 2, 4, 8, 16

HEADS = (
    b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n",
    b"POST /v1/x?y HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n"
    b"Expect: 100-continue\r\nConnection: close\r\n\r\n",
    b"\r\nGET http://a/b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost:\r\nX: \xc3\xa4\t\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.0 429\nRetry-After: 1\nContent-Length: 2, 2\n\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)
CHUNKED = (
    b"5\r\nhello\r\n0\r\n\r\n",
    b"a;x=y\r\n0123456789\r\n00\r\nA: b\r\n\r\nGET",
    b"FFFFFFFFFFFFFFFF\r\n",
)
STREAMS = (
    b"\xef\xbb\xbfdata: a\n\nevent: x\ndata: 1\ndata: 2\n\n: ping\n\n",
    b"data: a\r\n\r\ndata: b\r\rdata\r\n\rid: 1\nretry: 2\ndata: [DONE]",
)
JSONS = (
    rb'{"mod\u0065l":"\ud834\udd1e\ud800","n":-1.5e+3,"a":[true,false,null,{"b":[]}]}',
    rb'{"a":1e999,"b":123456789012345678901234567890,"c":"\"\\\/\b\f\n\r\t"}',
)
CHATS = (
    b'{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":'
    b'[{"type":"text","text":"t"},{"type":"image_url","image_url":{"url":'
    b'"data:image/png;base64,AAAA","detail":"low"}},{"type":"input_audio","input_audio":'
    b'{"data":"AAAA","format":"wav"}},{"type":"file","file":{"filename":"f","file_data":'
    b'"data:application/pdf;base64,AAAA"}}]}],"stream":true,"stream_options":'
    b'{"include_usage":true},"max_completion_tokens":5,"temperature":0.5,"stop":["a"],"n":2}',
    b'{"model":"m","messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,'
    b'"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}],'
    b'"thinking_blocks":[{"type":"thinking","thinking":"t","signature":"s"}]},{"role":"tool",'
    b'"tool_call_id":"c","content":"r"}],"tools":[{"type":"function","function":{"name":"f",'
    b'"description":"d","strict":true,"parameters":{"type":"object","properties":{"a":'
    b'{"type":["string","null"],"enum":["x"]}},"required":["a"],"additionalProperties":false}}}],'
    b'"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,'
    b'"reasoning_effort":"low"}',
    b'{"model":"m","messages":[{"role":"developer","content":"d"},{"role":"user","content":"u"}],'
    b'"response_format":{"type":"json_schema","json_schema":{"name":"j","strict":true,"schema":'
    b'{"type":"object","$defs":{"x":{"type":"integer"}},"properties":{"y":{"$ref":"#/$defs/x"}}}}},'
    b'"seed":1,"logprobs":true,"top_logprobs":2,"user":"u","metadata":{"a":"b"},"top_k":3}',
)
EMBEDDINGS_IN = (
    b'{"model":"m","input":["a","b"],"encoding_format":"base64","dimensions":8}',
    b'{"model":"m","input":[[1,2],[3]]}',
)
REPLIES = {
    "openai": (
        b'data: {"id":"i","object":"chat.completion.chunk","created":1,"model":"m","choices":'
        b'[{"index":0,"delta":{"role":"assistant","content":"a"},"finish_reason":null}]}\n\n'
        b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":'
        b'{"name":"f","arguments":"{\\"a\\":"}}]},"finish_reason":"tool_calls"}],"usage":'
        b'{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}}'
        b'\n\ndata: [DONE]\n\n',
        b'{"id":"i","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant",'
        b'"content":"a","tool_calls":[{"id":"c","type":"function","function":{"name":"f",'
        b'"arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,'
        b'"completion_tokens":1}}',
        b'{"error":{"message":"no","type":"t","code":"c","param":"p"}}',
    ),
    "anthropic": (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"i","model":"m",'
        b'"usage":{"input_tokens":3,"cache_read_input_tokens":1,"output_tokens":1}}}\n\n'
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
        b'"content_block":{"type":"tool_use","id":"t","name":"f","input":{}}}\n\n'
        b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
        b'{"type":"input_json_delta","partial_json":"{}"}}\n\n'
        b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
        b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"tool_use"},'
        b'"usage":{"output_tokens":5}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n',
        b'{"id":"i","type":"message","model":"m","content":[{"type":"thinking","thinking":"t",'
        b'"signature":"s"},{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":'
        b'{"input_tokens":1,"output_tokens":1}}',
        b'{"type":"error","error":{"type":"overloaded_error","message":"no"}}',
    ),
    "gemini": (
        b'data: {"candidates":[{"content":{"parts":[{"text":"t","thought":true},{"text":"a"},'
        b'{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"s"}],"role":"model"},'
        b'"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,'
        b'"candidatesTokenCount":2,"thoughtsTokenCount":1,"cachedContentTokenCount":1},'
        b'"modelVersion":"m","responseId":"i"}\r\n\r\n',
        b'{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"SAFETY"}],'
        b'"usageMetadata":{"promptTokenCount":1}}',
        b'{"error":{"code":429,"message":"no","status":"RESOURCE_EXHAUSTED","details":'
        b'[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"3s"}]}}',
    ),
}
REPLIES["demo"] = REPLIES["openai"]
CONFIGS = (
    b"version: 1\nproviders:\n  o: {kind: openai, api_key: ${KEY}, headers: {A: b}}\n"
    b"models:\n  m: {targets: [{provider: o, model: x, weight: 2}], strategy: weighted,"
    b" timeout: 10s, defaults: {temperature: 0.5}}\n"
    b"  'x*': {targets: [{provider: o, model: '*'}]}\n"
    b"tenants:\n  t:\n    keys: [{id: k, sha256: " + b"ab" * 32 + b", expires: 2027-01-01}]\n"
    b"    models: [m]\nauth: keys\nlog: {level: info, format: json}\n",
    b"version: 1\nlisten: {http: '[::1]:8080', limits: {body_bytes: 32MiB}, cors: ['*']}\n"
    b"auth: none\nproviders: {d: {kind: demo}}\n"
    b"models: {m: {targets: [{provider: d, model: x}]}}\n",
    b"a: &x [1, *x]\n<<: {b: 1}\na: 2\n? [k]\n: |\n  text\n",
)


def golden(part):
    """The files of that part of every golden case, with their provider."""
    for path in sorted(GOLDEN.glob(f"*/*/{part}*")):
        if path.is_file():
            yield path.relative_to(GOLDEN).parts[0].split("_")[0], path.read_bytes()


def split_reply(reply):
    """A recorded reply with or without its head: status and body."""
    if not reply.startswith(b"HTTP/1."):
        return 200, reply
    head, _, body = reply.replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
    return int(head.split()[1]), body


def reply_seeds(reply):
    """A reply as decoder.cpp reads it: flags, status, type and split before the body."""
    status, body = split_reply(reply)
    stream = not body.lstrip().startswith((b"{", b"["))
    kind = SSE_TYPE if stream else JSON_TYPE
    if b'"error"' in body[:200] and status == 200 and not stream:
        status = 429
    index = STATUSES.index(status) if status in STATUSES else STATUSES.index(400)
    flags = STREAM if stream else 0
    if b'"embedding' in body:
        flags |= EMBEDDINGS | BASE64
    for extra in (0, RELAY, JSON_TOOL):
        yield bytes((flags | extra, index, kind, len(body) % 256)) + body


def corpus():
    """Pairs of target and seed."""
    requests = [data for _, data in golden("client_request")]
    replies = [(kind, data) for kind, data in golden("upstream_response")]
    replies += [(kind, data) for kind in PROVIDERS for data in REPLIES[kind]]
    for seed in HEADS:
        yield "fuzz_http_head", b"\x02" + seed
    for seed in CHUNKED:
        yield "fuzz_http_body", b"\x02" + seed
    for seed in STREAMS + tuple(data for _, data in replies):
        yield "fuzz_sse", b"\x02" + split_reply(seed)[1]
    for seed in JSONS + CHATS + tuple(requests):
        yield "fuzz_json_shape", seed
    for seed in CHATS + tuple(requests):
        yield "fuzz_openai_chat", b"\x00" + seed
        yield "fuzz_openai_chat", b"\x80" + seed
    for seed in EMBEDDINGS_IN:
        yield "fuzz_openai_chat", b"\x01" + seed
    for kind, reply in replies:
        if kind in PROVIDERS:
            for seed in reply_seeds(reply):
                yield f"fuzz_decoder_{kind}", seed
    for seed in CONFIGS:
        yield "fuzz_config", seed
    for path in sorted((ROOT / "config").glob("*.yaml")):
        yield "fuzz_config", path.read_bytes()


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "fuzz" / "corpus"
    counts = {}
    for target, seed in corpus():
        folder = out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
        counts[target] = counts.get(target, 0) + 1
    for target, count in sorted(counts.items()):
        print(f"{target}: {count} seeds")


if __name__ == "__main__":
    main()
