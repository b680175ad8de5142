"""One request to the API server: asked again while the server is busy, and every other refusal is an error in words.

The only module that opens connections to it. Next: `listing` asks for whole kinds.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import msgspec

from podfence import __version__
from podfence.errors import PodfenceError
from podfence.kube.backoff import Patience, asked_for
from podfence.kube.credentials import obtain
from podfence.kube.kubeconfig import Access
from podfence.kube.resources import JSON
from podfence.kube.trust import tls

BUSY = frozenset({429, 500, 502, 503, 504})
OK, REDIRECTED, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, GONE = 200, 300, 401, 403, 404, 410
AGENT = f"podfence/{__version__}"
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=60)


class ApiError(PodfenceError):
    """The server's refusal. `status` is HTTP's, or 0 when no answer came."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class _Answer:
    """Status 0: the connection broke, and the body says how."""

    status: int
    body: bytes
    retry_after: str | None = None


class _Refusal(msgspec.Struct, frozen=True):
    message: str = ""


class Client:
    """A pool of connections; `async with` closes it."""

    def __init__(self, access: Access, patience: Patience | None = None) -> None:
        self._access = access
        self._credentials = obtain(access)
        self._patience = patience or Patience(random.random)
        self._proxy = _proxy(access)
        connector = aiohttp.TCPConnector(ssl=tls(access, self._credentials), limit_per_host=8)
        self._session = aiohttp.ClientSession(connector=connector, timeout=TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None, accept: str = JSON) -> bytes:
        """The body of a good answer; ApiError for any other, after as much patience as was asked for."""
        answer = await self._ask(path, query or {}, accept)
        for wait in self._patience.waits():
            if answer.status and answer.status not in BUSY:
                break
            await asyncio.sleep(max(wait, asked_for(answer.retry_after)))
            answer = await self._ask(path, query or {}, accept)
        if not OK <= answer.status < REDIRECTED:
            raise ApiError(answer.status, f"{self._access.server}: {_said(answer)}")
        return answer.body

    async def _ask(self, path: str, query: Mapping[str, str], accept: str) -> _Answer:
        """Once. A redirect is not followed: it could carry a token away."""
        try:
            async with self._session.get(
                self._access.server + path,
                params=query,
                headers=[("Accept", accept), ("User-Agent", AGENT), *self._credentials.current()],
                server_hostname=self._access.cluster.tls_server_name or None,
                proxy=self._proxy,
                allow_redirects=False,
            ) as response:
                return _Answer(response.status, await response.read(), response.headers.get("Retry-After"))
        except (aiohttp.ClientConnectorError, aiohttp.ClientConnectorCertificateError) as closed:
            raise ApiError(0, f"{self._access.server}: {_unreachable(closed)}") from closed
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as wrong:
            raise ApiError(0, f"the kubeconfig names no server of HTTP: {self._access.server!r}") from wrong
        except (aiohttp.ClientError, TimeoutError) as broken:
            return _Answer(0, f"no answer: {broken or type(broken).__name__}".encode())


def _unreachable(closed: aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError) -> str:
    """Waiting would not help: nobody is there, or somebody else."""
    if isinstance(closed, aiohttp.ClientConnectorCertificateError):
        reason = closed.certificate_error
        return f"its certificate is not trusted: {reason}; see certificate-authority of the kubeconfig"
    number = closed.errno or 0
    known = os.strerror(number) if number > 0 else closed.strerror
    return f"no connection: {known or closed}; is the cluster running, and is this the right context?"


def _said(answer: _Answer) -> str:
    """The server's own words where it has some."""
    try:
        words = msgspec.json.decode(answer.body, type=_Refusal).message
    except msgspec.DecodeError:
        words = answer.body[:200].decode(errors="replace")
    if answer.status == UNAUTHORIZED:
        return "the credentials of this context are not accepted (401): log in again, as for kubectl"
    return f"{words} ({answer.status})" if answer.status else words


def _proxy(access: Access) -> str | None:
    """The kubeconfig's, else the environment's, which Go and so kubectl never use for this machine itself."""
    parts = urlsplit(access.server)
    host = parts.hostname or ""
    if access.cluster.proxy_url:
        return access.cluster.proxy_url
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(host):
        return None
    return getproxies().get(parts.scheme)
