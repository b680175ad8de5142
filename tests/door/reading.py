"""How the tests of this directory ask the door: one policy, or any text, and the lines it answers."""

from textwrap import dedent

from podfence.manifests.load import load
from podfence.manifests.reading import Context

POLICY = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: p
spec:
"""


def read(text, *, compat="", file="f.yaml"):
    content = text if isinstance(text, bytes) else dedent(text).encode()
    return load(content, file, Context(compat=compat))


def spec(text, **options):
    """A policy with this spec, which is written without indentation."""
    lines = dedent(text).strip("\n").splitlines()
    return read(POLICY + "\n".join(f"  {line}" for line in lines) + "\n", **options)


def lines(found):
    """What the API server would print, a line for each refusal."""
    return [f"{each.field}: {each.message}" for each in found.problems]


def noted(found):
    return [(each.code, each.severity.value, each.field) for each in found.warnings]


def policy(found):
    assert found.problems == (), lines(found)
    (value,) = found.objects
    return value
