"""Native requests of Anthropic and Gemini as the chat request that would have become them: what a
bound looks at (money.md M2 to M6), no more. What has no counterpart goes over under its own name.
"""

import json


def _image(kind, data):
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}


def _file():
    return {"type": "file", "file": {"file_id": "f"}}


def _anthropic_source(part):
    source = part.get("source", {})
    if part["type"] == "image" and source.get("type") == "base64":
        return _image(source["media_type"], source["data"])
    return _file()


def _anthropic_parts(content):
    """Parts of a message, those inside of tool results among them."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    parts = []
    for part in content:
        if part["type"] in ("image", "document"):
            parts.append(_anthropic_source(part))
        elif part["type"] == "container_upload":
            parts.append(_file())
        elif part["type"] == "tool_result":
            parts += _anthropic_parts(part.get("content") or "")
        else:
            parts.append({"type": "text", "text": ""})
        if "cache_control" in part:
            parts[-1]["cache_control"] = part["cache_control"]
    return parts


def _anthropic_tool(tool):
    if "input_schema" in tool and tool.get("type", "custom") == "custom":
        return {"type": "function", "function": {"name": tool["name"]}}
    return tool


def from_anthropic(body):
    own = {"model", "system", "messages", "tools", "stop_sequences", "tool_choice"}
    messages = [{"role": message["role"], "content": _anthropic_parts(message["content"])}
                for message in body["messages"]]
    if "system" in body:
        messages.insert(0, {"role": "system", "content": _anthropic_parts(body["system"])})
    chat = {"model": body["model"], "messages": messages}
    if body.get("tools"):
        chat["tools"] = [_anthropic_tool(tool) for tool in body["tools"]]
    return chat | {name: value for name, value in body.items() if name not in own}


def _gemini_part(part):
    inline = part.get("inlineData") or part.get("inline_data")
    if inline is None:
        data = part.get("fileData") or part.get("file_data")
        return _file() if data is not None else {"type": "text", "text": part.get("text", "")}
    kind = inline.get("mimeType") or inline.get("mime_type")
    if kind.startswith("image/"):
        return _image(kind, inline["data"])
    if kind.startswith("audio/"):
        return {"type": "input_audio", "input_audio": {"data": inline["data"], "format": "wav"}}
    return _file()


def _gemini_tools(tools):
    for tool in _listed(tools):
        for name, value in tool.items():
            if name in ("functionDeclarations", "function_declarations"):
                yield from ({"type": "function", "function": {"name": one["name"]}}
                            for one in value)
            else:
                yield {name: value}


def _listed(value):
    return value if isinstance(value, list) else [value]


def from_gemini(body, model):
    config = body.get("generationConfig") or body.get("generation_config") or {}
    system = body.get("systemInstruction") or body.get("system_instruction")
    messages = [{"role": "user", "content": list(map(_gemini_part, _listed(one.get("parts", []))))}
                for one in ([system] if system else []) + _listed(body["contents"])]
    chat = {"model": model, "messages": messages}
    if body.get("tools"):
        chat["tools"] = list(_gemini_tools(body["tools"]))
    if config.get("maxOutputTokens"):
        chat["max_tokens"] = config["maxOutputTokens"]
    if config.get("candidateCount"):
        chat["n"] = config["candidateCount"]
    if config.get("responseModalities"):
        chat["modalities"] = [name.lower() for name in config["responseModalities"]]
    if any("schema" in name.lower() for name in config):
        chat["response_format"] = {"type": "json_schema", "json_schema": {"name": "s"}}
    if "cachedContent" in body:
        messages[0]["content"].append(_file())
    return chat


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
