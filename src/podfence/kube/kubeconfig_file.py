"""The fields of a kubeconfig file that are read, by the names that stand there. Next: `kubeconfig` follows them."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from msgspec import Struct, field

Value_co = TypeVar("Value_co", covariant=True)


class Cluster(Struct, frozen=True, rename="kebab"):
    server: str
    authority: str = field(default="", name="certificate-authority")
    authority_data: str = field(default="", name="certificate-authority-data")
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    proxy_url: str = ""


class Variable(Struct, frozen=True):
    name: str
    value: str


class Exec(Struct, frozen=True, rename="camel"):
    """A program that obtains credentials."""

    api_version: str
    command: str
    args: list[str] | None = None
    env: list[Variable] | None = None
    install_hint: str = ""
    interactive_mode: str = ""
    provide_cluster_info: bool = False


class User(Struct, frozen=True, rename="kebab"):
    certificate: str = field(default="", name="client-certificate")
    certificate_data: str = field(default="", name="client-certificate-data")
    key: str = field(default="", name="client-key")
    key_data: str = field(default="", name="client-key-data")
    token: str = ""
    token_file: str = field(default="", name="tokenFile")
    username: str = ""
    password: str = ""
    exec: Exec | None = None
    auth_provider: Any = None
    act_as: str = field(default="", name="as")
    act_as_uid: str = field(default="", name="as-uid")
    act_as_groups: list[str] | None = field(default=None, name="as-groups")
    act_as_extra: dict[str, list[str]] | None = field(default=None, name="as-user-extra")


class Context(Struct, frozen=True):
    cluster: str
    user: str = ""
    namespace: str = ""


class NamedCluster(Struct, frozen=True):
    name: str
    value: Cluster = field(name="cluster")


class NamedContext(Struct, frozen=True):
    name: str
    value: Context = field(name="context")


class NamedUser(Struct, frozen=True):
    name: str
    value: User = field(name="user")


class Named(Protocol[Value_co]):
    """Any of the three."""

    @property
    def name(self) -> str: ...

    @property
    def value(self) -> Value_co: ...


class File(Struct, frozen=True):
    current: str = field(default="", name="current-context")
    clusters: list[NamedCluster] | None = None
    contexts: list[NamedContext] | None = None
    users: list[NamedUser] | None = None
