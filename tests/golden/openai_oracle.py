"""What an OpenAI-shaped recording holds, read with Python's own JSON by the rules of the wire
facts.

Written for the tests alone: it shares nothing with the decoder that it judges. `expected(...)`
gives text, reasoning, refusal, tool calls and finish of each choice, and the usage.
"""

import json

FINISH = {"max_tokens": "length", "model_length": "length", "tool_use": "tool_calls",
          "tool_call": "tool_calls", "safety": "content_filter"}
KNOWN_FINISH = ("stop", "length", "tool_calls", "content_filter", "function_call")


def sse_objects(text):
    """(objects, done): the data of each event, and whether [DONE] was seen."""
    objects, done = [], False
    for event in text.replace("\r\n", "\n").split("\n\n"):
        lines = [line[5:].lstrip(" ") for line in event.split("\n") if line.startswith("data:")]
        data = "\n".join(lines).strip()
        if data == "[DONE]":
            done = True
        elif data:
            objects.append(json.loads(data))
    return objects, done


class Choice:
    def __init__(self):
        self.text = self.reasoning = self.refusal = ""
        self.calls = []
        self.finish = None
        self.function = False

    def add_content(self, content):
        for part in [{"text": content}] if isinstance(content, str) else content or []:
            if isinstance(part.get("text"), str):
                self.text += part["text"]
            thinking = part.get("thinking") or []
            if isinstance(thinking, str):
                thinking = [{"text": thinking}]
            self.reasoning += "".join(thought.get("text", "") for thought in thinking)

    def add_reasoning(self, message):
        plain = message.get("reasoning_content") or message.get("reasoning")
        if plain:
            self.reasoning += plain
            return
        for detail in message.get("reasoning_details") or []:
            self.reasoning += detail.get("text") or detail.get("summary") or ""

    def add_call(self, fragment):
        function = fragment.get("function") or fragment.get("custom") or {}
        index, ident, name = fragment.get("index"), fragment.get("id"), function.get("name")
        call = None
        if index is not None:
            same = [c for c in self.calls if c["index"] == index]
            call = same[-1] if same else None
            if call and name and ident and call["id"] and ident != call["id"]:
                call = None
        elif self.calls and not name:
            call = self.calls[-1]
        if call is None:
            call = {"index": index, "id": None, "name": None, "arguments": ""}
            self.calls.append(call)
        call["id"] = call["id"] or ident
        call["name"] = call["name"] or name
        arguments = function.get("arguments", function.get("input"))
        if arguments is not None:
            text = arguments if isinstance(arguments, str) else json.dumps(arguments)
            call["arguments"] += "" if not call["arguments"] and text == "null" else text

    def add(self, message):
        self.add_reasoning(message)
        self.add_content(message.get("content"))
        self.refusal += message.get("refusal") or ""
        for fragment in message.get("tool_calls") or []:
            self.add_call(fragment)
        if isinstance(message.get("function_call"), dict):
            self.function = True
            self.add_call({"index": 0, "function": message["function_call"]})

    def result(self):
        finish = FINISH.get(self.finish, self.finish)
        if not finish:
            finish = "function_call" if self.function else "tool_calls" if self.calls else "stop"
        if finish not in KNOWN_FINISH:
            finish = "stop"
        cut = finish == "length"
        return {
            "text": self.text,
            "reasoning": self.reasoning,
            "refusal": self.refusal,
            "calls": [(c["id"], c["name"], c["arguments"] or ("" if cut else "{}"))
                      for c in self.calls],
            "finish": finish,
        }


def count(value):
    return int(value) if isinstance(value, (int, float)) and value >= 0 else None


def usage_of(raw):
    """The token kinds that a usage object means, each token once; None where it says nothing."""
    prompt, output = count(raw.get("prompt_tokens")), count(raw.get("completion_tokens"))
    total = count(raw.get("total_tokens"))
    if prompt is None and output is None and total is None:
        return None
    details = raw.get("prompt_tokens_details") or {}
    produced = raw.get("completion_tokens_details") or {}
    output = output or 0
    if prompt is None:
        prompt = max((total or 0) - output, 0)
    places = (details.get("cached_tokens"), raw.get("prompt_cache_hit_tokens"),
              raw.get("num_cached_tokens"), raw.get("cached_tokens"))
    cached = min(prompt, next((p for p in places if p is not None), 0))
    written = min(prompt - cached, details.get("cache_write_tokens") or 0)
    thought = next((p for p in (produced.get("reasoning_tokens"), raw.get("reasoning_tokens"))
                    if p is not None), 0)
    if thought and total == prompt + output + thought:  # xAI: beside the completion, not in it
        output += thought
    return {"input": prompt - cached - written, "cache_read": cached, "cache_write": written,
            "output": output, "reasoning": min(thought, output)}


def usage_in(item):
    raw = item.get("usage") or (item.get("x_groq") or {}).get("usage")
    return usage_of(raw) if raw else None


def expected(items, member):
    """`items`: the objects of the reply in order; `member`: delta or message."""
    choices, usage = {}, None
    for item in items:
        for position, given in enumerate(item.get("choices") or []):
            choice = choices.setdefault(given.get("index", position), Choice())
            message = given.get(member)
            if message is not None:
                choice.add(message)
            elif isinstance(given.get("text"), str):
                choice.text += given["text"]
            choice.finish = choice.finish or given.get("finish_reason")
        usage = usage_in(item) or usage
    return {"choices": {str(i): c.result() for i, c in sorted(choices.items())}, "usage": usage}
