"""What is measured: each profile is one kind of load, the same for every proxy."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Profile:
    """One load. A whole reply's unit is a request, a stream's is an event."""

    name: str
    kind: str                    # what is done, for the title
    connections: int = 64
    request_bytes: int = 3072
    reply_bytes: int = 1024
    stream: bool = False
    events: int = 0              # of one stream
    interval_ms: float = 0       # between two of them
    rate: float = 0              # requests a second; 0: a closed loop
    model: str = "bench"         # what the gateway is asked for; the others relay it as it is
    quick: dict = dataclasses.field(default_factory=dict)  # what --quick changes

    @property
    def title(self):
        if self.stream:
            return (f"{self.kind}: {self.connections:,} streams of {1000 / self.interval_ms:g} "
                    "events a second")
        return (f"{self.kind}: {self.request_bytes / 1024:g} KB request, "
                f"{self.reply_bytes / 1024:g} KB reply, {self.connections} connections")

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
        if self.stream:
            # Streams that all began at once would send all their events at once.
            arguments += ["--stream", "--events", self.events, "--ramp", self.ramp()]
        return arguments

    def ramp(self):
        """Over one second, or one stream where that is shorter."""
        return min(1.0, self.events * self.interval_ms / 1000) if self.stream else 0


ALL = (
    Profile("relay", "Relay"),
    Profile("sse", "SSE relay", stream=True, connections=500, events=100, interval_ms=50,
            quick={"connections": 200, "events": 20}),
    Profile("translate", "OpenAI to Anthropic", model="bench-anthropic"),
    Profile("translate-sse", "OpenAI to Anthropic, SSE", stream=True, connections=500, events=100,
            interval_ms=50, model="bench-anthropic", quick={"connections": 200, "events": 20}),
)
