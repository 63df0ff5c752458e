"""Stage: the mock provider and the proxies of one profile while it is measured, and the load."""

import contextlib
import json
import subprocess
import time

import caches
import measure
import proxies

STOLEN_MAX = 0.01


class Stage(contextlib.ExitStack):
    """Starts everything when entered and ends it when left."""

    def __init__(self, bench, profile, servers, cores=None):
        super().__init__()
        self.bench = bench
        self.profile = profile
        self.proxies = servers
        self.cores = cores or {}  # of single proxies, by name; else all have the bench's
        self.directory = bench.args.out / profile.name
        self.upstream = None

    def __enter__(self):
        super().__enter__()
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        arguments, tls = self.profile.upstream_arguments(), None
        if self.profile.upstream_tls:
            tls = self.bench.certificates()
            arguments = [*arguments, "--tls-cert", tls.certificate, "--tls-key", tls.key]
        client_tls = self.bench.certificates() if self.profile.client_tls else None
        cache = caches.section(self.profile, self, self.directory, self.bench.pins.upstream)
        self.callback(self.remove_logs)
        self.upstream = self.enter_context(proxies.Upstream(
            self.bench.args.build, self.directory, arguments, self.bench.pins.upstream))
        for proxy in self.proxies:
            self.callback(proxy.stop)
            options = proxies.Options(proxy.workers, tls, client_tls, cache)
            proxy.start(self.directory, self.upstream.port,
                        self.cores.get(proxy.name, self.bench.pins.proxy), options)

    def remove_logs(self):
        """Access logs of a long run fill disks."""
        for proxy in self.proxies:
            (self.directory / f"{proxy.name}-access.log").unlink(missing_ok=True)
        (self.directory / "haproxy.out").unlink(missing_ok=True)

    def configs(self):
        return {proxy.name: proxy.config for proxy in self.proxies}

    def load(self, port, arguments, request=("--model", "bench"), look=lambda load: None):
        """Runs the load generator against `port`; calls `look` with its process when the window
        opens and when it shuts. What it reports."""
        command = proxies.pinned([self.bench.args.build / "bench_load", "--port", port, "--key",
                                  proxies.KEY, *request, *arguments], self.bench.pins.load)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        looks, last = 0, ""
        for line in process.stdout:
            if line.startswith(("measuring", "measured")):
                looks += 1
                look(process)
            last = line
        if process.wait() != 0 or looks != 2:
            raise SystemExit(f"bench: the load generator failed: {command}")
        return json.loads(last)

    def window(self):
        """Arguments of an ordinary measured window."""
        args = self.bench.args
        return ["--warmup", args.warmup + self.profile.ramp(), "--seconds", args.seconds]

    def under_load(self, proxy, arguments=None):
        """One proxy under the profile's load: what the load generator says, what the kernel says
        of the window, and the proxy's memory at its end."""
        looks = []

        def look(load):
            looks.append(measure.Snapshot(proxy.process.pid, [load.pid, self.upstream.pid]))

        arguments = [*self.window(), *self.profile.load_arguments()] if arguments is None \
            else arguments
        load = self.load(proxy.port, arguments, proxy.request_for(self.profile), look)
        return load, looks[1].since(looks[0]), measure.pss_bytes(proxy.process.pid)


def faults_of_load(load):
    """Errors and faulty frames, which make a round void."""
    found = [f"{count} x {what}" for what, count in load["errors"].items()]
    found += [f"{load['streams'][what]} frames {what}" for what in ("lost", "reordered", "merged")
              if load["streams"][what]]
    if load["unfinished"]:
        found.append(f"{load['unfinished']} requests without a reply")
    return found


def faults(load, used, units):
    """Why a round is void; nothing: it is valid."""
    found = faults_of_load(load)
    if units == 0:
        found.append("nothing was measured")
    if used["stolen"] > STOLEN_MAX:
        found.append(f"{used['stolen']:.1%} of the CPU was stolen")
    return found


def wait_until(moment):
    """Sleeps until time.monotonic() shows `moment`."""
    time.sleep(max(0.0, moment - time.monotonic()))
