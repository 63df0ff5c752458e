// The official Node SDK, unmodified. Prints one line a check: "ok NAME" or "FAIL NAME: why".
import OpenAI from "openai";
import { strict as assert } from "node:assert";

const [baseURL, apiKey, provider, text] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 30_000 });
const messages = [{ role: "user", content: "Hello?" }];
const tools = [
  { type: "function", function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" }, days: { type: "integer" } } } } },
  { type: "function", function: { name: "time", parameters: { type: "object", properties: { zone: { type: "string" } } } } },
];
const schema = {
  type: "json_schema",
  json_schema: { name: "person", strict: true, schema: { type: "object", additionalProperties: false, required: ["name", "age"], properties: { name: { type: "string" }, age: { type: "integer" } } } },
};
const ask = (model, more = {}) => ({ model: `${provider}/${model}`, messages, ...more });

const checks = {
  async chat() {
    const { data, response } = await client.chat.completions.create(ask("text")).withResponse();
    assert.equal(data.choices[0].message.content, text);
    assert.equal(data.usage.total_tokens, 18);
    assert.equal(response.headers.get("x-tollgate-provider"), provider);
    assert.match(data._request_id, /^[0-9a-f-]{36}$/);
  },
  async stream() {
    let all = "";
    for await (const chunk of await client.chat.completions.create(ask("text", { stream: true }))) {
      assert.ok(chunk.choices.length > 0, "a usage chunk that nobody asked for");
      all += chunk.choices[0].delta.content ?? "";
    }
    assert.equal(all, text);
  },
  async streamUsage() {
    let last;
    for await (const chunk of await client.chat.completions.create(ask("text", { stream: true, stream_options: { include_usage: true } }))) last = chunk;
    assert.equal(last.usage.total_tokens, 18);
  },
  async tools() {
    const reply = await client.chat.completions.create(ask("tools", { tools }));
    const call = reply.choices[0].message.tool_calls[0];
    assert.equal(JSON.parse(call.function.arguments).city, "Zürich");
    assert.equal(reply.choices[0].finish_reason, "tool_calls");
  },
  async toolsStream() {
    const message = await client.chat.completions.stream(ask("two-tools", { tools })).finalMessage();
    assert.deepEqual(message.tool_calls.map((c) => c.function.name), ["weather", "time"]);
    assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: "Zürich", days: 3 });
  },
  async runTools() {
    let asked = 0;
    const runner = client.chat.completions.runTools(ask("tools", {
      tools: [{ type: "function", function: { name: "weather", description: "", parse: JSON.parse, parameters: { type: "object", properties: {} }, function: () => (asked++, "rain") } }],
      tool_choice: "auto",
    }), { maxChatCompletions: 2 });
    await runner.done().catch(() => {});
    assert.ok(asked >= 1);
  },
  async parse() {
    const reply = await client.chat.completions.parse(ask("json", { response_format: schema }));
    assert.deepEqual(JSON.parse(reply.choices[0].message.content), { name: "Ada", age: 36 });
  },
  async vision() {
    const content = [{ type: "text", text: "?" }, { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } }];
    const reply = await client.chat.completions.create({ model: `${provider}/text`, messages: [{ role: "user", content }] });
    assert.equal(reply.choices[0].message.content, text);
  },
  async embeddings() {
    if (provider === "anthropic") {
      await assert.rejects(client.embeddings.create({ model: "anthropic/e", input: "a" }), OpenAI.BadRequestError);
      return;
    }
    const reply = await client.embeddings.create({ model: `${provider}/e`, input: ["a", "b"] });
    assert.deepEqual(reply.data[1].embedding, [0.5, -0.25, 2]);
  },
  async models() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes(`${provider}-text`));
    assert.equal((await client.models.retrieve(`${provider}/a/b`)).id, `${provider}/a/b`);
  },
  async errors() {
    const classes = { 400: OpenAI.BadRequestError, 404: OpenAI.NotFoundError, 409: OpenAI.ConflictError, 422: OpenAI.UnprocessableEntityError, 429: OpenAI.RateLimitError, 500: OpenAI.InternalServerError, 503: OpenAI.InternalServerError };
    for (const [status, type] of Object.entries(classes)) {
      for (const stream of [false, true]) {
        await assert.rejects(client.chat.completions.create(ask(`err-${status}`, { stream })), (error) => error instanceof type && error.status === Number(status));
      }
    }
    const stranger = new OpenAI({ baseURL, apiKey: "tg-nobody-x", maxRetries: 0 });
    await assert.rejects(stranger.chat.completions.create(ask("text")), OpenAI.AuthenticationError);
  },
  async cancellation() {
    const stream = await client.chat.completions.create(ask("slow", { stream: true }));
    for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 200);
    await assert.rejects(client.chat.completions.create(ask("hang"), { signal: abort.signal }), OpenAI.APIUserAbortError);
  },
  async timeout() {
    await assert.rejects(client.chat.completions.create(ask("hang"), { timeout: 300 }), OpenAI.APIConnectionTimeoutError);
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`FAIL ${name}: ${String(error.stack ?? error).replaceAll("\n", " | ").slice(0, 800)}`);
  }
}
