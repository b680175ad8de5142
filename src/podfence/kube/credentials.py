"""What a user shows to the API server: a token, a certificate, or what a program of the kubeconfig obtains.

Next: `client` puts it on requests, and asks again when the server no longer takes it.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from podfence.kube.kubeconfig import Access, KubeconfigError, text_of
from podfence.kube.kubeconfig_file import Exec, User

EXEC_API = "client.authentication.k8s.io/"
EXEC_VERSIONS = (f"{EXEC_API}v1", f"{EXEC_API}v1beta1")
PATIENCE = 300
"""Seconds for a program that may have to open a browser."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Credentials:
    """PEM texts, and the headers of every request. `token_file` is read again each time: its token is replaced."""

    headers: Headers = ()
    certificate: str = ""
    key: str = ""
    token_file: Path | None = None

    def current(self) -> Headers:
        if self.token_file is None:
            return self.headers
        return (*self.headers, _bearer(self.token_file.read_text().strip()))


def obtain(access: Access) -> Credentials:
    """Runs the program of the kubeconfig when there is one. KubeconfigError when there is no way to credentials."""
    user, acting = access.user, tuple(_impersonation(access.user))
    if user.auth_provider:
        raise KubeconfigError(
            f"context {access.name!r} has an auth-provider, which Kubernetes removed in 1.26: use an exec plugin"
        )
    certificate = text_of(access.directory, user.certificate_data, user.certificate)
    key = text_of(access.directory, user.key_data, user.key)
    if user.token_file:
        return Credentials(acting, certificate, key, access.directory / user.token_file)
    if user.exec and not (user.token or user.username or certificate):
        return _executed(access, user.exec, acting)
    return Credentials((*_shown(user), *acting), certificate, key)


def _shown(user: User) -> Iterator[tuple[str, str]]:
    if user.token:
        yield _bearer(user.token)
    elif user.username:
        pair = base64.b64encode(f"{user.username}:{user.password}".encode()).decode()
        yield "Authorization", f"Basic {pair}"


def _bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


def _impersonation(user: User) -> Iterator[tuple[str, str]]:
    """Left out, these would make a request with more rights than the kubeconfig grants."""
    if user.act_as:
        yield "Impersonate-User", user.act_as
    if user.act_as_uid:
        yield "Impersonate-Uid", user.act_as_uid
    yield from (("Impersonate-Group", group) for group in user.act_as_groups or ())
    for key, values in (user.act_as_extra or {}).items():
        yield from ((f"Impersonate-Extra-{key}", value) for value in values)


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""


class _ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    status: _Status


def _executed(access: Access, program: Exec, acting: Headers) -> Credentials:
    if program.api_version not in EXEC_VERSIONS:
        raise KubeconfigError(
            f"{program.command} speaks {program.api_version}; kubectl and podfence speak {' and '.join(EXEC_VERSIONS)}"
        )
    output = _run(program, access)
    try:
        found = msgspec.json.decode(output, type=_ExecCredential)
    except msgspec.DecodeError as wrong:
        raise KubeconfigError(f"{program.command} printed no ExecCredential: {wrong}") from wrong
    if found.api_version != program.api_version or not (
        found.status.token or found.status.client_certificate_data
    ):
        raise KubeconfigError(f"{program.command} printed no credentials of {program.api_version}")
    shown = (_bearer(found.status.token),) if found.status.token else ()
    return Credentials((*shown, *acting), found.status.client_certificate_data, found.status.client_key_data)


def _run(program: Exec, access: Access) -> bytes:
    """Without a shell. It may ask on the terminal, and what it says on stderr is for the person there."""
    interactive = program.interactive_mode != "Never" and sys.stdin.isatty()
    arguments = [_command(program.command, access.directory), *(program.args or ())]
    try:
        done = subprocess.run(
            arguments,
            env=os.environ | _variables(program, access, interactive=interactive),
            stdin=None if interactive else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            check=True,
        )
    except FileNotFoundError as missing:
        raise KubeconfigError(_not_found(program, access)) from missing
    except subprocess.TimeoutExpired as slow:
        raise KubeconfigError(
            f"{program.command} took longer than {PATIENCE} s to obtain credentials"
        ) from slow
    except subprocess.CalledProcessError as failed:
        raise KubeconfigError(
            f"{program.command} obtained no credentials: status {failed.returncode}"
        ) from failed
    return done.stdout


def _not_found(program: Exec, access: Access) -> str:
    hint = " ".join(program.install_hint.split())
    way_out = f": {hint}" if hint else ": install it, as for kubectl"
    return f"context {access.name!r} obtains credentials with {program.command}, which is not here{way_out}"


def _command(command: str, directory: Path) -> str:
    """A bare name is looked for in PATH, a relative path starts at the kubeconfig."""
    return str(directory / command) if "/" in command else command


def _variables(program: Exec, access: Access, *, interactive: bool) -> dict[str, str]:
    about: dict[str, object] = {"interactive": interactive}
    if program.provide_cluster_info:
        authority = base64.b64encode(access.authority.encode()).decode()
        about["cluster"] = {"server": access.server, "certificate-authority-data": authority}
    told = {"apiVersion": program.api_version, "kind": "ExecCredential", "spec": about}
    given = {each.name: each.value for each in program.env or ()}
    return {**given, "KUBERNETES_EXEC_INFO": json.dumps(told)}
