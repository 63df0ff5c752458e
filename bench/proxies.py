"""The servers of a benchmark: how each is configured, started and asked for its version.

Every proxy gets one worker, keep-alive on both sides, no buffering of replies and an access log to
a file, so that none is spared what another pays for."""

import dataclasses
import hashlib
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import time

from certificates import Certificates

KEY = "tg-bench-4Tq8Zr2Lw6Nc0Xv5Hs1Yd7Ke3Ua9Gj"


def connections_max():
    """What a proxy may be told to hold: each connection is two descriptors of those we may have."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 20000 if hard == resource.RLIM_INFINITY else max(256, min(20000, hard // 2 - 200))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_program(name):
    """Its full path, or None. Debian keeps servers where users without root do not look."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


def takes_connections(port, process, seconds):
    """Waits until the server does; False: it ended, or the time did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


def pinned(command, cores):
    """The command, held to `cores` (nothing: not held)."""
    holder = ["taskset", "-c", ",".join(map(str, cores))] if cores else []
    return holder + [str(word) for word in command]


class Process:
    """A server that is started here, and by its id ended here."""

    def __init__(self, command, log, **more):
        self.log = pathlib.Path(log)
        self.output = open(self.log, "wb")
        self.process = subprocess.Popen(command, stderr=self.output, stdin=subprocess.DEVNULL,
                                        **more)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.output.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Upstream(Process):
    """The mock provider; `port` is its own choice."""

    def __init__(self, build, directory, arguments, cores):
        command = pinned([build / "bench_upstream", *arguments], cores)
        super().__init__(command, directory / "upstream.log", stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.strip().isdigit():
            raise SystemExit(f"bench: the mock provider does not start; see {self.log}")
        self.port = int(line)


class Redis(Process):
    """A redis-server that keeps nothing on disk, on a port that was free."""

    def __init__(self, directory, cores):
        self.port = free_port()
        command = pinned([find_program("redis-server"), "--port", self.port, "--bind", "127.0.0.1",
                          "--save", "", "--appendonly", "no", "--dir", directory], cores)
        with open(directory / "redis.out", "wb") as output:
            super().__init__(command, directory / "redis.log", stdout=output)
        if not takes_connections(self.port, self.process, 10):
            self.stop()
            raise SystemExit(f"bench: redis-server does not start; see {directory / 'redis.out'}")


@dataclasses.dataclass(frozen=True)
class Options:
    """What a profile asks of a proxy beside the ordinary."""

    workers: int = 1
    upstream_tls: Certificates | None = None  # the mock provider speaks TLS; verify it
    client_tls: Certificates | None = None    # speak TLS to clients
    cache: str = ""                           # a gateway's `cache` section


class Proxy:
    """One server to be measured. Subclasses say how it is configured and started."""

    name = ""
    workers = 1
    start_seconds = 10
    speaks_tls = True  # it can be told to, on both sides
    asked_for = False  # measured by name only
    options = Options()

    def __init__(self, build):
        self.build = build
        self.port = 0
        self.config = ""
        self.process = None

    def binary(self):
        return find_program(self.name)

    def present(self):
        return self.binary() is not None

    def version(self):
        done = subprocess.run([self.binary(), "-v"], capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().splitlines()[0]

    def render(self, directory, upstream_port):
        raise NotImplementedError

    def command(self, config):
        raise NotImplementedError

    def free_port(self):
        return free_port()

    def environment(self):
        """Of its process; None: ours."""
        return None

    def carries(self, _profile):
        """Whether it can be asked for what the profile asks for."""
        return True

    def request_for(self, _profile):
        """What a request to it says of itself, as arguments of the load generator."""
        return ["--model", "bench"]

    def start(self, directory, upstream_port, cores, options=Options()):
        """Starts the server and waits until it takes connections."""
        self.options = options
        self.port = self.free_port()
        self.config = self.render(directory, upstream_port)
        file = directory / f"{self.name}.conf"
        file.write_text(self.config)
        log = directory / f"{self.name}.log"
        with open(directory / f"{self.name}.out", "wb") as output:
            self.process = Process(pinned(self.command(file), cores), log, stdout=output,
                                   env=self.environment())
        if takes_connections(self.port, self.process.process, self.start_seconds):
            return
        self.stop()
        said = log.read_text()[-2000:]
        raise SystemExit(f"bench: {self.name} does not start; see {log}:\n{said}")

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None


class Tollgate(Proxy):
    name = "tollgate"
    # All that a call can be held to, none of it ever reached.
    price = ", price: {input: 0.01, output: 0.02}"
    limits = """
    limits: {requests_per_minute: 1000000000, tokens_per_minute: 1000000000000, concurrent: 100000}
    budgets: [{usd: 1000000, per: day}, {usd: 10000000, per: month}]"""
    store = ""      # a section of its own
    admin_port = 0

    def binary(self):
        return self.build / "tollgate"

    def present(self):
        return self.binary().exists()

    def version(self):
        done = subprocess.run([self.binary(), "--version"], capture_output=True, text=True)
        return done.stdout.strip()

    def request_for(self, profile):
        return ["--model", profile.model]

    def render(self, directory, upstream_port):
        digest = hashlib.sha256(KEY.encode()).hexdigest()
        front, back = self.options.client_tls, self.options.upstream_tls
        self.admin_port = free_port()
        base = f"{'https' if back else 'http'}://127.0.0.1:{upstream_port}"
        trust = f", tls: {{ca_file: {back.authority}}}" if back else ""
        listen_tls = (f"\n  tls: {{cert_file: {front.certificate}, key_file: {front.key}}}"
                      if front else "")
        return f"""\
version: 1
listen:
  http: 127.0.0.1:{self.port}{listen_tls}
  admin: 127.0.0.1:{self.admin_port}
  workers: {self.options.workers}
providers:
  openai-mock: {{kind: openai, base_url: "{base}/v1", api_key: sk-mock{trust}{self.price}}}
  anthropic-mock: {{kind: anthropic, base_url: "{base}", api_key: sk-mock{trust}{self.price}}}
  gemini-mock: {{kind: gemini, base_url: "{base}", api_key: sk-mock{trust}{self.price}}}
models:
  bench: {{targets: [{{provider: openai-mock, model: bench-1}}]}}
  bench-anthropic: {{targets: [{{provider: anthropic-mock, model: bench-1}}]}}
  bench-gemini: {{targets: [{{provider: gemini-mock, model: bench-1}}]}}
tenants:
  bench:
    keys: [{{id: bench, sha256: "{digest}"}}]{self.limits}
{self.store}ledger: {{sqlite: {{path: "{directory}/{self.name}.db"}}}}
log: {{level: warn, output: stderr, access: "{directory}/{self.name}-access.log"}}
{self.options.cache}"""

    def command(self, config):
        return [self.binary(), "serve", "--config", config]


class Bare(Tollgate):
    """Without limits, budgets and prices: what these cost is the difference."""

    name = "tollgate-bare"
    asked_for = True
    price = limits = ""


class Nginx(Proxy):
    name = "nginx"

    def render(self, directory, upstream_port):
        user = "user root;\n" if os.geteuid() == 0 else ""
        temporary = "".join(f"  {kind}_temp_path {directory}/nginx-{kind};\n" for kind in
                            ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        front, back = self.options.client_tls, self.options.upstream_tls
        scheme = "https" if back else "http"
        trust = f"""
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate {back.authority};
      proxy_ssl_name localhost;
      proxy_ssl_server_name on;
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_session_reuse on;""" if back else ""
        listen_tls = f"""
    ssl_certificate {front.certificate};
    ssl_certificate_key {front.key};
    ssl_protocols TLSv1.2 TLSv1.3;""" if front else ""
        return f"""\
daemon off;
{user}worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log warn;
worker_rlimit_nofile {2 * connections_max() + 200};
events {{ worker_connections {2 * connections_max()}; }}
http {{
{temporary}  access_log {directory}/nginx-access.log combined;
  keepalive_requests 1000000000;
  keepalive_timeout 650s;
  client_max_body_size 64m;
  client_body_buffer_size 1m;
  upstream mock {{
    server 127.0.0.1:{upstream_port};
    keepalive 8192;
    keepalive_requests 1000000000;
    keepalive_timeout 650s;
  }}
  server {{
    listen 127.0.0.1:{self.port}{" ssl" if front else ""} backlog=4096;{listen_tls}
    location / {{
      proxy_pass {scheme}://mock;{trust}
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 650s;
    }}
  }}
}}
"""

    def command(self, config):
        return [self.binary(), "-e", config.parent / "nginx-error.log", "-c", config]


class Haproxy(Proxy):
    name = "haproxy"

    def render(self, directory, upstream_port):
        front, back = self.options.client_tls, self.options.upstream_tls
        trust = (f" ssl verify required ca-file {back.authority} verifyhost localhost "
                 "sni str(localhost)") if back else ""
        listen_tls = f" ssl crt {front.both}" if front else ""
        return f"""\
global
  nbthread 1
  maxconn {connections_max()}
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 650s
  timeout server 650s
  timeout http-keep-alive 650s
frontend front
  bind 127.0.0.1:{self.port} backlog 4096{listen_tls}
  default_backend mock
backend mock
  server mock 127.0.0.1:{upstream_port}{trust}
"""

    def command(self, config):
        return [self.binary(), "-db", "-f", config]


ALL = (Tollgate, Bare, Nginx, Haproxy)
