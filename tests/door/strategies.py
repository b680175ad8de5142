"""Near-valid documents: policies, and policies with one or two things wrong, as values and as text."""

import json

from hypothesis import strategies as st

KEYS = ("app", "role", "example.com/x", "", "a b", "-", "x" * 64)
TEXTS = ("web", "", "a b", "\x1b[31m", "\u2028", "x" * 64, "yes", "null", "0x10")
CIDRS = ("10.0.0.0/8", "10.0.0.1/8", "010.0.0.0/8", "::/0", "::ffff:10.0.0.0/104", "x", "", "2001:DB8::/64")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 65), 1 << 65),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(TEXTS),
)


def maybe(**fields):
    """A mapping with any of these fields, or null."""
    return st.one_of(st.fixed_dictionaries({}, optional=fields), st.none())


def selectors():
    requirement = maybe(
        key=st.sampled_from(KEYS),
        operator=st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist", "in", "")),
        values=st.lists(st.sampled_from((*TEXTS, None)), max_size=2),
    )
    labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from((*TEXTS, None)), max_size=2)
    return maybe(matchLabels=labels, matchExpressions=st.lists(requirement, max_size=2))


def ports():
    return maybe(
        protocol=st.sampled_from(("TCP", "UDP", "SCTP", "tcp", "")),
        port=st.one_of(st.integers(-1, 65537), st.sampled_from(("http", "80", "", "HTTP", 80.0, 80.5))),
        endPort=st.integers(-1, 65537),
    )


def peers():
    block = maybe(cidr=st.sampled_from(CIDRS), **{"except": st.lists(st.sampled_from(CIDRS), max_size=2)})
    return maybe(podSelector=selectors(), namespaceSelector=selectors(), ipBlock=block)


def rules(peers_field):
    return st.lists(
        maybe(ports=st.lists(ports(), max_size=2), **{peers_field: st.lists(peers(), max_size=2)}), max_size=2
    )


def specs():
    return maybe(
        podSelector=selectors(),
        ingress=rules("from"),
        egress=rules("to"),
        policyTypes=st.lists(st.sampled_from(("Ingress", "Egress", "ingress")), max_size=3),
    )


def policies(spec=None):
    return st.fixed_dictionaries(
        {
            "apiVersion": st.just("networking.k8s.io/v1"),
            "kind": st.just("NetworkPolicy"),
            "metadata": st.fixed_dictionaries({"name": st.sampled_from(("p", "a.b", "A", ""))}),
            "spec": specs() if spec is None else spec,
        }
    )


@st.composite
def mutated(draw):
    """A policy in which something of another type or an unknown field stands somewhere."""
    policy = draw(policies())
    for _ in range(draw(st.integers(1, 2))):
        _mutate(draw, draw(st.sampled_from(_containers(policy))))
    return policy


def _containers(value):
    if not isinstance(value, (dict, list)):
        return []
    inside = value.values() if isinstance(value, dict) else value
    return [value, *(found for child in inside for found in _containers(child))]


def _mutate(draw, container):
    strange = draw(st.one_of(SCALARS, st.just([]), st.just({}), st.just([{}]), st.just({"a": 1})))
    if isinstance(container, list):
        container.insert(draw(st.integers(0, len(container))), strange)
    else:
        container[draw(st.sampled_from((*container, "ports", "to", "from", "extra", "PodSelector")))] = (
            strange
        )


def texts():
    """YAML-like noise: tokens that mean something to a YAML or JSON reader, in any order."""
    tokens = (
        "- ",
        "? ",
        ": ",
        "a",
        "&a ",
        "*a",
        "!!int ",
        "!x ",
        "<<",
        "|",
        ">",
        "'",
        '"',
        "{",
        "}",
        "[",
        "]",
        ",",
        "\n",
        "\n  ",
        "#",
        "---",
        "...",
        "%YAML 1.1\n",
        "~",
        "\t",
        "\x00",
        "\ufeff",
        "é",
        "\\",
        "\\ud800",
        "kind: Pod",
        "apiVersion: v1\n",
        "items:\n",
        "kind: List\n",
    )
    return st.lists(st.sampled_from(tokens), max_size=40).map("".join)


def dumped(value):
    return json.dumps(value).encode()
