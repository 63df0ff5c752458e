"""The gateway's cache in a profile: its section of the configuration, and the Redis it may need."""

import socket
import time

import proxies

START_SECONDS = 10


def redis_server():
    """Its full path, or None."""
    return proxies.find_program("redis-server")


class Redis(proxies.Process):
    """A server of our own, which keeps nothing on disk; ready when made."""

    def __init__(self, directory, cores):
        self.port = proxies.free_port()
        command = proxies.pinned([redis_server(), "--port", self.port, "--bind", "127.0.0.1",
                                  "--save", "", "--appendonly", "no", "--dir", directory], cores)
        with open(directory / "redis.out", "wb") as output:
            super().__init__(command, directory / "redis.log", stdout=output)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise SystemExit(f"bench: redis-server does not start; see {self.log}")


def section(profile, stack, directory, cores):
    """The `cache` section for a profile; nothing: without. A server that it needs is entered on
    `stack`."""
    if not profile.cache:
        return ""
    place = "store: memory"
    if profile.cache == "redis":
        redis = stack.enter_context(Redis(directory, cores))
        place = f'store: redis, redis: {{url: "redis://127.0.0.1:{redis.port}/0"}}'
    # Equal calls that miss at the same time would be one call.
    coalesce = "false" if profile.headers else "true"
    return f"cache: {{{place}, when: always, ttl: 1h, coalesce: {coalesce}}}\n"
