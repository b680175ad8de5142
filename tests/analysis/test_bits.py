"""Sets of numbers as bits, and port sets by number, are the sets they stand for."""

from hypothesis import given
from hypothesis import strategies as st

from podfence.analysis.bits import bits, mask_of
from podfence.analysis.portbook import ALL, NONE, PortBook
from podfence.model.portset import EVERY_PORT, NO_PORTS
from strategies import port_sets


@given(st.sets(st.integers(0, 3000)))
def test_bits_are_the_numbers_in_order(numbers):
    assert list(bits(mask_of(numbers))) == sorted(numbers)


@given(st.lists(port_sets(), min_size=2, max_size=6))
def test_a_book_combines_numbers_as_the_sets_they_stand_for(found):
    book = PortBook()
    for one in (*found, NO_PORTS, EVERY_PORT):
        for other in (*found, NO_PORTS, EVERY_PORT):
            pair = book.number(one), book.number(other)
            assert book.sets[book.both(*pair)] == one & other
            assert book.sets[book.either(*pair)] == one | other
            assert (pair[0] == pair[1]) is (one == other)


def test_nothing_and_everything_have_numbers_of_their_own():
    book = PortBook()
    assert (book.number(NO_PORTS), book.number(EVERY_PORT)) == (NONE, ALL)
