"""What is measured: each profile is one kind of load, the same for every proxy."""

import dataclasses

KB = 1024
HOUR_MS = 3_600_000


@dataclasses.dataclass(frozen=True)
class Profile:
    """One load. A whole reply's unit is a request, a stream's is an event."""

    name: str
    what: str                    # is done, for the title
    measure: str = "cost"        # how: a name of bench.KINDS
    connections: int = 64        # 0: no load of the load generator's
    request_bytes: int = 3 * KB
    reply_bytes: int = KB
    stream: bool = False
    events: int = 0              # of one stream
    interval_ms: float = 0       # between two of them
    rate: float = 0              # requests a second; 0: a closed loop
    model: str = "bench"         # what the gateway is asked for; the others relay it as it is
    upstream_tls: bool = False   # the mock provider speaks TLS
    client_tls: bool = False     # the proxies do, to their clients
    cache: str = ""              # memory | redis: the gateway keeps replies there
    headers: tuple = ()          # of every request, beside the ordinary
    ramp_s: float = 1            # over which streams begin
    rest_s: float = 0            # idle: how long after the end memory is read again
    rounds: int = 0              # 0: as many as the run has
    quick: dict = dataclasses.field(default_factory=dict)  # what --quick changes

    @property
    def title(self):
        return f"{self.what}: {self.load_text()}" if self.connections else self.what

    def load_text(self):
        if self.stream and self.interval_ms >= HOUR_MS:
            return f"{self.connections:,} open streams that have sent one event"
        if self.stream:
            return (f"{self.connections:,} streams of {1000 / self.interval_ms:g} "
                    "events a second")
        return (f"{self.request_bytes / KB:g} KB request, {self.reply_bytes / KB:g} KB reply, "
                f"{self.connections} connections")

    @property
    def unit(self):
        return "event" if self.stream else "request"

    @property
    def demand(self):
        """Units a second that are asked for; None in a closed loop, which takes what it gets."""
        if self.stream and self.interval_ms:
            return self.connections * 1000 / self.interval_ms
        return self.rate or None

    def upstream_arguments(self):
        arguments = ["--reply-bytes", self.reply_bytes]
        if self.stream:
            arguments += ["--events", self.events, "--interval-ms", self.interval_ms]
        return arguments

    def load_arguments(self):
        arguments = ["--body-bytes", self.request_bytes, "--connections", self.connections]
        if self.rate:
            arguments += ["--rate", self.rate]
        if self.client_tls:
            arguments += ["--tls"]
        for header in self.headers:
            arguments += ["--header", header]
        if self.stream:
            # Streams that all began at once would send all their events at once.
            arguments += ["--stream", "--events", self.events, "--ramp", self.ramp()]
        return arguments

    def ramp(self):
        """Over its time, or one stream's where that is shorter."""
        return min(self.ramp_s, self.events * self.interval_ms / 1000) if self.stream else 0


STREAMS = {"stream": True, "events": 100, "interval_ms": 50,
           "quick": {"connections": 200, "events": 10}}
SILENT = {"measure": "idle", "stream": True, "connections": 5000, "events": 2,
          "interval_ms": HOUR_MS, "rest_s": 60, "rounds": 3}
TO_ANTHROPIC = {"model": "bench-anthropic"}
# Asks the provider though the reply is there, and keeps the new one: what a miss costs.
MISS = {"headers": ("Cache-Control: no-cache",)}

ALL = (
    Profile("relay", "Relay"),
    Profile("relay-100k", "Relay of a long request", request_bytes=100 * KB),
    Profile("sse", "SSE relay", connections=1000, **STREAMS),
    Profile("translate", "OpenAI to Anthropic", **TO_ANTHROPIC),
    Profile("translate-sse", "OpenAI to Anthropic, SSE", connections=500, **STREAMS,
            **TO_ANTHROPIC),
    Profile("cache-hit", "Cache hit, beside a relay", cache="memory"),
    Profile("cache-hit-redis", "Cache hit from Redis, beside a relay", cache="redis"),
    Profile("cache-miss", "Cache miss", cache="memory", **MISS),
    Profile("cache-miss-redis", "Cache miss, kept in Redis", cache="redis", **MISS),
    Profile("tls-upstream", "Relay to a provider behind TLS", upstream_tls=True),
    Profile("latency", "Added latency", measure="latency"),
    Profile("idle", "Memory", **SILENT, ramp_s=3,
            quick={"connections": 500, "ramp_s": 0.5, "rest_s": 2, "rounds": 1}),
    Profile("idle-tls", "Memory, clients under TLS", client_tls=True, **SILENT, ramp_s=5,
            quick={"connections": 300, "ramp_s": 0.7, "rest_s": 2, "rounds": 1}),
    Profile("workers", "Two workers against one", measure="workers"),
    Profile("syscalls", "System calls", measure="syscalls"),
    Profile("books", "What limits, budgets and the ledger cost", measure="books"),
    Profile("store-rate", "Reserve and settle", measure="store-rate", connections=0),
)
