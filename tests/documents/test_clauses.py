"""The specification and the tests hold each other: no clause without a test, no sentence without a clause."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLAUSE = re.compile(r"^### (?P<number>[MTS]\d+)\. .*?(?=^##|\Z)", re.MULTILINE | re.DOTALL)
CLAUSES = {found["number"]: found[0] for found in CLAUSE.finditer((ROOT / "docs/semantics.md").read_text())}
SENTENCES = ("test_rules.py", "test_places.py", "test_tiers.py", "test_door_sentences.py")


def names_in(paths):
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield node.name


@cache
def every_test():
    return frozenset(names_in((ROOT / "tests").glob("**/test_*.py")))


def named(text):
    return set(re.findall(r"`(test_\w+)`", text.rpartition("Tests:")[2]))


def test_all_fourteen_decisions_have_a_clause():
    assert {f"S{number}" for number in range(1, 15)} <= CLAUSES.keys()


@pytest.mark.parametrize("number", CLAUSES)
def test_a_clause_names_tests_that_are_there(number):
    found = named(CLAUSES[number])
    assert found
    assert found <= every_test()


def test_every_sentence_belongs_to_a_clause():
    sentences = set(names_in(HERE / name for name in SENTENCES))
    assert sentences == sentences & set().union(*map(named, CLAUSES.values()))


def test_the_code_cites_clauses_that_are_there():
    cited = set(re.findall(r"\((S\d+)\)", (ROOT / "src/podfence/semantics.py").read_text()))
    assert cited
    assert cited <= CLAUSES.keys()


def test_all_end_to_end_cases_are_there():
    names = names_in([HERE / "test_end_to_end.py"])
    numbers = {int(number) for name in names for number in re.findall(r"_(\d\d)(?=_)", name)}
    assert numbers == set(range(1, 49))
