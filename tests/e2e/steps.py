"""A provider that goes on only when it is told to, for tests of calls that wait for another."""

from __future__ import annotations

import json
import queue
import threading

USAGE = {"prompt_tokens": 10, "completion_tokens": 50, "total_tokens": 60}
COST = 10 * 1000 + 50 * 2000  # nano-dollars, at 1 and 2 US dollars a million
CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "u"}


def choice(delta, finish=None):
    return {**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


class Steps:
    """A provider that stands still before its head, after each word and before its end, until told
    to go on; what it reached is in `at`."""

    NAMES = ["head", "one", "two", "end"]

    def __init__(self, held: bool = True):
        self.at: queue.Queue[str] = queue.Queue()
        self.go = {name: threading.Event() for name in self.NAMES}
        if not held:
            self.release()

    def release(self):
        for event in self.go.values():
            event.set()

    def reach(self, name):
        """Lets it run up to `name`, where it waits."""
        while (now := self.at.get(timeout=60)) != name:
            self.go[now].set()

    def _stand(self, name):
        self.at.put(name)
        assert self.go[name].wait(180)

    def __call__(self, exchange):
        self._stand("head")
        if exchange.request.json.get("stream"):
            exchange.sse_head()
            for word in ("one", "two"):
                exchange.event(choice({"content": word}))
                self._stand(word)
            exchange.event(choice({}, "stop")).event({**CHUNK, "choices": [], "usage": USAGE})
            self._stand("end")
            exchange.event("[DONE]").end()
        else:
            whole = json.dumps({**CHUNK, "object": "chat.completion", "usage": USAGE, "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "onetwo"},
                 "finish_reason": "stop"}]})
            exchange.send(f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                          f"content-length: {len(whole)}\r\n\r\n")
            self._stand("one")
            exchange.send(whole[:20])
            self._stand("two")
            exchange.send(whole[20:-1])
            self._stand("end")
            exchange.send(whole[-1:])
            exchange.keep = True


def fails_first(steps: Steps, status: int):
    """The first call gets that status once `steps` lets it go on from its head; whoever asks later
    is answered at once."""
    first = threading.Lock()

    def script(exchange):
        if first.acquire(blocking=False):
            steps._stand("head")
            exchange.json({"error": {"message": "no", "type": "x", "code": "y"}}, status)
        else:
            Steps(held=False)(exchange)
    return script


def words(stream: bool, text: str) -> str:
    if not stream:
        return json.loads(text)["choices"][0]["message"]["content"]
    events = [line[6:] for line in text.split("\n") if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    return "".join(c["delta"].get("content", "")
                   for e in events[:-1] for c in json.loads(e)["choices"])
