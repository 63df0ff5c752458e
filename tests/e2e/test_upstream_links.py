"""The way to a provider: TLS with private authorities, and HTTP proxies."""
from __future__ import annotations

import json
import pathlib
import socket
import ssl
import subprocess
import threading

import pytest

import scripted
from gateway import tenant_yaml
from raw import ask, chat_body, post
from scripted import CHUNKS, DONE, WHOLE
from upstream import Upstream, read_request


class TlsUpstream(Upstream):
    """The same over TLS; `resumed` counts connections that took up an earlier session."""

    def __init__(self, script, directory: pathlib.Path):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(directory / "tls.crt", directory / "tls.key")
        self.names: list[str | None] = []
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
        super().__init__(script)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def _serve(self, sock):
        try:
            wrapped = self.context.wrap_socket(sock, server_side=True)
        except (OSError, ssl.SSLError):
            return sock.close()
        super()._serve(wrapped)


class Proxy:
    """Takes CONNECT and relays to loopback, whatever the name; `asked` holds what was asked."""

    def __init__(self):
        self.asked: list[tuple[str, str | None]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://user:pa%20ss@127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        request, _ = read_request(sock, b"")
        if request is None:
            return
        self.asked.append((f"{request.method} {request.target}",
                           request.headers.get("proxy-authorization")))
        far = socket.create_connection(("127.0.0.1", int(request.target.rsplit(":", 1)[1])))
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for one, other in ((sock, far), (far, sock)):
            threading.Thread(target=self._pipe, args=(one, other), daemon=True).start()

    @staticmethod
    def _pipe(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)  # a close alone leaves the port to `accept`
        self._listener.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A self-signed certificate, which is its own authority."""
    directory = tmp_path_factory.mktemp("authority")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=x",
                    "-addext", "subjectAltName=DNS:localhost,DNS:provider.test",
                    "-keyout", directory / "tls.key", "-out", directory / "tls.crt"],
                   check=True, capture_output=True)
    return directory


@pytest.fixture
def provider(authority):
    running = TlsUpstream(scripted.openai, authority)
    yield running
    running.close()
    assert not running.errors, running.errors


@pytest.fixture
def proxy():
    running = Proxy()
    yield running
    running.close()


def config(url: str, more: str = "") -> str:
    return f"""version: 1
listen: {{http: 127.0.0.1:0, admin: 127.0.0.1:0, workers: 1}}
providers: {{a: {{kind: openai, base_url: "{url}/v1", api_key: sk-a{more}}}}}
models: {{m: {{targets: [{{provider: a, model: text}}]}}}}
{tenant_yaml()}"""


def both(gate):
    """A whole reply and a stream."""
    assert ask(gate, post(chat_body("m"))).body.decode() == WHOLE
    assert ask(gate, post(chat_body("m", stream=True))).body.decode() == "".join(CHUNKS) + DONE


def test_private_authority(gateway, provider, authority):
    gate = gateway(config(provider.url, f", tls: {{ca_file: {authority}/tls.crt}}"))
    both(gate)
    assert provider.names == ["localhost"] and gate.metric("tollgate_upstream_reused_total") == 1
    assert gate.metric("tollgate_upstream_tls_handshakes_total") == 1


def test_verification_is_on(gateway, provider):
    """An authority that nobody knows: 502, and not one byte of the request, or its key, is sent."""
    gate = gateway(config(provider.url))
    reply = ask(gate, post(chat_body("m")))
    assert reply.status == 502 and reply.error["code"] == "upstream_error"
    assert "sk-a" not in reply.body.decode() and provider.requests == []
    row = gate.access_lines(1)[0]
    assert "certificate" in json.dumps(row).lower()


def test_the_name_is_verified(gateway, provider, authority):
    url = provider.url.replace("localhost", "127.0.0.1")
    gate = gateway(config(url, f", tls: {{ca_file: {authority}/tls.crt}}"))
    assert ask(gate, post(chat_body("m"))).status == 502 and provider.requests == []


def test_verification_can_be_off(gateway, provider):
    both(gateway(config(provider.url.replace("localhost", "127.0.0.1"), ", tls: {verify: false}")))


def test_plain_text_where_tls_was_expected(gateway, upstream):
    plain = upstream(scripted.openai)
    gate = gateway(config(plain.url.replace("http:", "https:"), ", timeouts: {connect: 1s}"))
    assert ask(gate, post(chat_body("m"))).status in (502, 504)
    assert plain.requests == []


def beyond(provider) -> str:
    """The provider by a name that only the proxy can resolve: loopback never goes by a proxy."""
    return provider.url.replace("localhost", "provider.test")


def test_https_proxy(gateway, provider, authority, proxy):
    tls = f", tls: {{ca_file: {authority}/tls.crt}}"
    gate = gateway(config(beyond(provider), tls), env={"HTTPS_PROXY": proxy.url})
    both(gate)
    assert proxy.asked == [(f"CONNECT provider.test:{provider.port}", "Basic dXNlcjpwYSBzcw==")]
    assert provider.names == ["provider.test"]
    assert "authorization" in provider.requests[0].headers
    assert "proxy-authorization" not in provider.requests[0].headers


@pytest.mark.parametrize("name", ["provider.test", "*", "x.example, .test"])
def test_no_proxy(gateway, provider, authority, proxy, name):
    tls = f", tls: {{ca_file: {authority}/tls.crt}}"
    gate = gateway(config(beyond(provider), tls), env={"HTTPS_PROXY": proxy.url, "NO_PROXY": name})
    assert ask(gate, post(chat_body("m"))).status == 502  # asked for directly, and not found
    assert proxy.asked == []


def test_loopback_goes_by_no_proxy(gateway, provider, authority, proxy):
    tls = f", tls: {{ca_file: {authority}/tls.crt}}"
    both(gateway(config(provider.url, tls), env={"HTTPS_PROXY": proxy.url}))
    assert proxy.asked == []


def test_a_proxy_that_is_gone(gateway, provider, authority):
    proxy = Proxy()
    proxy.close()
    gate = gateway(config(beyond(provider), f", tls: {{ca_file: {authority}/tls.crt}}"),
                   env={"HTTPS_PROXY": proxy.url})
    reply = ask(gate, post(chat_body("m")))
    assert reply.status == 502 and "pa%20ss" not in reply.body.decode()
    text = "\n".join(gate.log.lines + [json.dumps(gate.access_lines(1)[0])])
    assert "pa%20ss" not in text and "pa ss" not in text
