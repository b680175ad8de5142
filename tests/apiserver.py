"""A real kube-apiserver with its etcd for the tests of tests/live: loopback, free ports, a directory of its own.

    def test_a_policy_is_stored(api):
        api.kubectl("apply", "-f", "-", stdin=POLICY)
        assert api.get("/apis/networking.k8s.io/v1/networkpolicies")["items"]

TLS and RBAC are on; no controller runs, so nothing changes by itself. Admission that would need controllers (service
accounts, namespaces that exist) is off. `make apiserver` builds both programs. They end with the process that started
them, however it ends.
"""

import csv
import ctypes
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
KUBECTL = Path(sys.executable).parent / "kubectl"
SECONDS = 90
TOKENS = {"admin": "system:masters", "reader": "", "stranger": ""}
"""Users, by the name that is their token too, and their group."""

_ADMISSION_OFF = "ServiceAccount,NamespaceLifecycle"
_PR_SET_PDEATHSIG = 1


class UnavailableError(Exception):
    """The programs are not built; says how to build them."""


def programs():
    where = Path(subprocess.check_output([ROOT / "scripts/apiserver", "--where"], text=True).strip())
    missing = [name for name in ("etcd", "kube-apiserver") if not os.access(where / name, os.X_OK)]
    if missing:
        raise UnavailableError(f"no {' and '.join(missing)} in {where}: run make apiserver")
    return where


@dataclass(frozen=True)
class ApiServer:
    directory: Path
    port: int

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    @property
    def authority(self):
        return self.directory / "ca.crt"

    def kubeconfig(self, user="admin", **shown):
        """With the user's token, or with what else the user shows."""
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "live",
            "clusters": [
                {
                    "name": "live",
                    "cluster": {"server": self.url, "certificate-authority": str(self.authority)},
                }
            ],
            "users": [{"name": user, "user": shown or {"token": user}}],
            "contexts": [{"name": "live", "context": {"cluster": "live", "user": user}}],
        }
        path = self.directory / f"{user}-{abs(hash(json.dumps(shown)))}.kubeconfig"
        path.write_text(json.dumps(content))
        return path

    def kubectl(self, *arguments, stdin=None, user="admin", check=True):
        environment = {"KUBECONFIG": str(self.kubeconfig(user)), "HOME": str(self.directory)}
        done = subprocess.run(
            [KUBECTL, *arguments],
            input=stdin,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def ask(self, method, path, body=None, media="application/json", user="admin"):
        """The status and the answer's JSON, without a client in between."""
        status, answer = self.raw(method, path, body, media, user)
        return status, json.loads(answer)

    def raw(self, method, path, body=None, media="application/json", user="admin"):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=SECONDS, context=ssl.create_default_context(cafile=self.authority)
        )
        try:
            headers = {"Authorization": f"Bearer {user}", "Content-Type": media, "Accept": "application/json"}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def get(self, path):
        status, answer = self.ask("GET", path)
        assert status == http.HTTPStatus.OK, answer
        return answer


def running(directory):
    """A generator for a fixture: yields a server that answers, and ends what it started."""
    where, (client, peer, port) = programs(), _free_ports(3)
    api = ApiServer(directory, port)
    _write_secrets(directory)
    started = []
    try:
        started.append(_start(directory, where / "etcd", *_etcd(directory, client, peer)))
        started.append(_start(directory, where / "kube-apiserver", *_apiserver(directory, client, port)))
        _wait(api, started)
        yield api
    finally:
        for each in reversed(started):  # nothing of it is kept, so there is nothing to be gentle with
            each.kill()
            each.wait()


def _free_ports(amount):
    """Held open together, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(amount)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _write_secrets(directory):
    """An authority, the server's certificate and an administrator's, and a token for every user."""
    openssl = ("openssl", "req", "-x509", "-nodes", "-days", "2", "-newkey", "ec")
    curve = ("-pkeyopt", "ec_paramgen_curve:P-256")

    def certificate(name, subject, *options):
        files = ("-keyout", f"{name}.key", "-out", f"{name}.crt")
        subprocess.run(
            [*openssl, *curve, *files, "-subj", subject, *options],
            cwd=directory,
            check=True,
            capture_output=True,
        )

    signed = ("-CA", "ca.crt", "-CAkey", "ca.key")
    certificate("ca", "/CN=podfence-tests")
    certificate("server", "/CN=server", *signed, "-addext", "subjectAltName=IP:127.0.0.1")
    certificate("client", "/O=system:masters/CN=by-certificate", *signed)
    with (directory / "tokens.csv").open("w", newline="") as file:
        csv.writer(file).writerows((user, user, user, group) for user, group in TOKENS.items())


def _etcd(directory, client, peer):
    yield f"--data-dir={directory}/etcd"
    yield f"--listen-client-urls=http://127.0.0.1:{client}"
    yield f"--advertise-client-urls=http://127.0.0.1:{client}"
    yield f"--listen-peer-urls=http://127.0.0.1:{peer}"
    yield from ("--unsafe-no-fsync", "--log-level=warn")


def _apiserver(directory, client, port):
    yield f"--etcd-servers=http://127.0.0.1:{client}"
    yield from (f"--secure-port={port}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1")
    yield from ("--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112")
    yield from (f"--tls-cert-file={directory}/server.crt", f"--tls-private-key-file={directory}/server.key")
    yield from (f"--client-ca-file={directory}/ca.crt", f"--token-auth-file={directory}/tokens.csv")
    yield f"--cert-dir={directory}/pki"
    yield "--service-account-issuer=https://kubernetes.default.svc"
    yield f"--service-account-key-file={directory}/server.crt"
    yield f"--service-account-signing-key-file={directory}/server.key"
    yield from ("--authorization-mode=RBAC", f"--disable-admission-plugins={_ADMISSION_OFF}")


def _start(directory, program, *arguments):
    with (directory / f"{program.name}.log").open("wb") as log:
        return subprocess.Popen(
            [program, *arguments],
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_parent,  # noqa: PLW1509  pytest has no other thread here
        )


_LIBC = ctypes.CDLL(None, use_errno=True)


def _end_with_parent():
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _wait(api, started):
    """Ready means that the roles RBAC begins with are there, too."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        ended = next((each for each in started if each.poll() is not None), None)
        if ended:
            raise AssertionError(f"{ended.args[0].name} ended:\n{_tail(api.directory, ended)}")
        if _ready(api):
            return
        time.sleep(0.1)
    raise AssertionError(f"no API server after {SECONDS} s:\n{_tail(api.directory, started[-1])}")


def _ready(api):
    try:
        return api.raw("GET", "/readyz")[0] == http.HTTPStatus.OK
    except OSError:
        return False


def _tail(directory, ended):
    log = (directory / f"{ended.args[0].name}.log").read_text(errors="replace")
    return "\n".join(log.splitlines()[-15:])
