"""A lab for tests: the command as people run it, in a directory of its own, ended with the test whatever happens."""

import json
import os
import subprocess
import sys
from pathlib import Path

LIMIT = 60
MAIN = "import sys; from podfence.cli import main; sys.exit(main())"


class Labs:
    """`run("lab up …")` in a private run-time directory. Every lab it starts ends with this process."""

    def __init__(self, runtime: Path) -> None:
        runtime.mkdir(mode=0o700, parents=True)
        self.runtime = runtime
        self.environment = {
            **{k: v for k, v in os.environ.items() if k != "PODFENCE_LAB"},
            "XDG_RUNTIME_DIR": str(runtime),
            "PODFENCE_UNTIL_EXIT": str(os.getpid()),
        }

    def run(self, *words: str, given: str = "", status: int | None = 0) -> subprocess.CompletedProcess:
        return self.podfence("lab", *words, given=given, status=status)

    def podfence(self, *words: str, given: str = "", status: int | None = 0) -> subprocess.CompletedProcess:
        ended = subprocess.run(
            [sys.executable, "-c", MAIN, *words],
            input=given, capture_output=True, text=True, timeout=LIMIT, env=self.environment, check=False,
        )  # fmt: skip
        assert status is None or ended.returncode == status, (
            words,
            ended.returncode,
            ended.stdout,
            ended.stderr,
        )
        return ended

    def said(self, *words: str, given: str = "") -> str:
        return self.run(*words, given=given).stdout

    def probes(self, *words: str, status: int | None = 0) -> list[dict]:
        answer = json.loads(self.run("probe", "-o", "json", *words, status=status).stdout)
        assert answer["podfence"] == 1
        return answer["probes"]

    def inside(self, end: str, *program: str, status: int | None = 0, name: str = "lab") -> str:
        return self.run("exec", "--name", name, end, "--", *program, status=status).stdout

    def pid(self, name: str = "lab") -> int:
        return int((self.runtime / "podfence" / name / "pid").read_text())


def pod(namespace: str, name: str, *ports: str, labels: dict | None = None, **spec) -> dict:
    """`ports`: `http:8080`, `53/UDP`."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": name, "labels": {"app": name, **(labels or {})}},
        "spec": {
            "containers": [{"name": "c", "image": "x", "ports": [_port(port) for port in ports]}],
            **spec,
        },
    }


def _port(text: str) -> dict:
    number, _, protocol = text.rpartition(":")[2].partition("/")
    named = {"name": text.rpartition(":")[0]} if ":" in text else {}
    return {"containerPort": int(number), "protocol": protocol or "TCP", **named}


def service(namespace: str, name: str, *ports: dict, **spec) -> dict:
    metadata = {"namespace": namespace, "name": name}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"selector": {"app": name}, "ports": list(ports), **spec},
    }


def policy(namespace: str, name: str, **spec) -> dict:
    metadata = {"namespace": namespace, "name": name}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


def manifests(*objects: dict) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
