"""The gateway's cache in a profile: its section of the configuration, and the Redis it may need."""

import proxies


def section(profile, stack, directory, cores):
    """The `cache` section for a profile; nothing: without. A server that it needs is entered on
    `stack`."""
    if not profile.cache:
        return ""
    place = "store: memory"
    if profile.cache == "redis":
        redis = stack.enter_context(proxies.Redis(directory, cores))
        place = f'store: redis, redis: {{url: "redis://127.0.0.1:{redis.port}/0"}}'
    # Equal calls that miss at the same time would be one call.
    coalesce = "false" if profile.headers else "true"
    return f"cache: {{{place}, when: always, ttl: 1h, coalesce: {coalesce}}}\n"
