"""Two worlds, one after the other: strategies for `diff`, and what every flow between them says."""

from itertools import product

from hypothesis import strategies as st

from podfence.analysis.workloads import listed
from podfence.model.change import after, gone, put
from podfence.model.flow import Flow, Verdict
from podfence.semantics import decide
from strategies import OUTSIDE, changes, policies, protocols_asked, worlds


def policy_changes():
    return st.one_of(policies().map(put), policies().map(gone))


@st.composite
def successions(draw, edits=None):
    """A world, and the same after a few changes."""
    old = draw(worlds())
    return old, after(old, draw(st.lists(changes() if edits is None else edits, min_size=1, max_size=4)))


def ends(*sides):
    """Title → its addresses, on each side; hosts outside have the same on both."""
    pods = [{f"{pod.title}[Pod]": pod.addresses for pod in listed(side.pods.values())} for side in sides]
    inside = {title: [side.get(title, ()) for side in pods] for title in sorted({*pods[0], *pods[1]})}
    return {**inside, **{host: [(host,), (host,)] for host in OUTSIDE}}


def pairs(*sides):
    """Every two ends of which one is a pod."""
    found = ends(*sides)
    for source, destination in product(found, repeat=2):
        if source != destination and not {source, destination} <= set(OUTSIDE):
            yield source, destination, found[source], found[destination]


def truth(world, sources, destinations):
    """(family, protocol, port) that any address of one may say to any of the other."""
    return {
        (here.family, protocol, port)
        for here, there in product(sources, destinations)
        if here.family == there.family
        for protocol, port in protocols_asked(here.family)
        if decide(world, Flow(here, there, protocol, port)).verdict is Verdict.ALLOWED
    }


def said(allowed):
    """The same, as an answer says it."""
    return {
        (family, protocol, port)
        for family, ports in allowed.families.items()
        for protocol, port in protocols_asked(family)
        if (protocol, port) in ports
    }


def found_between(found, source, destination):
    """The difference that an answer has for two ends, None where it has none."""
    for pair in found.pairs:
        if _is(pair.source, source) and _is(pair.destination, destination):
            return pair
    return None


def _is(end, wanted):
    return (
        end.title == wanted
        if end.addresses is None
        else not isinstance(wanted, str) and wanted in end.addresses
    )
