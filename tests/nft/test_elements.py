"""Elements on the wire: what is encoded is decoded, whatever it is and however many messages it takes."""

from hypothesis import given
from hypothesis import strategies as st

from podfence.nft import elements, keys
from podfence.nft.keys import KeyType, service_key
from podfence.nft.table import Set
from podfence.nft.verdicts import ACCEPT, DROP, goto, jump

VERDICTS = st.sampled_from((ACCEPT, DROP, jump("a"), goto("a_longer_name"), goto("b")))
EDGES = st.sampled_from((0, 1, 2, 80, 81, 255, 256, 1024, 65534, 65535))
ports = st.one_of(EDGES, st.integers(0, 65535))


def port(number):
    return number.to_bytes(2, "big")


@st.composite
def intervals(draw):
    """Disjoint, touching as often as not, up to both ends of the range."""
    cuts = sorted(draw(st.sets(ports, max_size=12)))
    spans = zip(cuts[::2], cuts[1::2], strict=False)
    touching = [(last, last) for last in cuts[len(cuts) // 2 * 2 :]]
    return [(port(first), port(last)) for first, last in (*spans, *touching)]


def back(described, lists):
    return elements.assemble(
        described, [each for content in lists for each in elements.decode(described, memoryview(content))]
    )


@given(intervals(), st.randoms(use_true_random=False))
def test_intervals_come_back_in_whatever_order_they_are_listed(spans, order):
    described = Set("s", (KeyType.PORT,), dict.fromkeys(spans), interval=True)
    lists = b"".join(elements.encode(described, described.elements))
    decoded = elements.decode(described, memoryview(lists))
    order.shuffle(decoded)
    assert elements.assemble(described, decoded) == described.elements


@given(intervals(), st.lists(VERDICTS, min_size=12, max_size=12))
def test_intervals_with_verdicts_come_back(spans, verdicts):
    content = dict(zip(spans, verdicts, strict=False))
    described = Set("s", (KeyType.PORT,), content, interval=True, verdicts=True)
    assert back(described, elements.encode(described, content)) == content


def test_neighbours_that_touch_stay_two():
    content = {(port(80), port(89)): ACCEPT, (port(90), port(90)): DROP, (port(91), port(65535)): ACCEPT}
    described = Set("s", (KeyType.PORT,), content, interval=True, verdicts=True)
    assert back(described, elements.encode(described, content)) == content


@given(st.dictionaries(st.builds(service_key, st.integers(0, 255), ports), VERDICTS))
def test_keys_with_verdicts_come_back(content):
    described = Set("s", (KeyType.PROTOCOL, KeyType.PORT), content, verdicts=True)
    assert back(described, elements.encode(described, content)) == content


@given(st.sampled_from(KeyType), st.integers(1, 9000))
def test_any_number_of_keys_fits_into_messages(kind, number):
    number = min(number, 256**kind.length)
    content = dict.fromkeys(
        (each * 251 % 256**kind.length).to_bytes(kind.length, "big") for each in range(number)
    )
    described = Set("s", (kind,), content)
    lists = list(elements.encode(described, content))
    assert max(map(len, lists)) < 65_500
    assert back(described, lists) == content
    assert b"".join(elements.encode_keys(described, content)) == b"".join(lists)


def test_no_elements_are_no_message():
    described = Set("s", (KeyType.IPV4,))
    assert list(elements.encode(described, {})) == []
    assert keys.width(described.types) == 4
