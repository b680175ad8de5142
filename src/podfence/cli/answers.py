"""Questions about names to answers that carry their reasons, and answers as JSON. `telling` prints them as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from podfence.analysis.ends import Ends
from podfence.analysis.nearest import Miss, nearest
from podfence.analysis.questions import Asking, PortAsked, Question, port_asked
from podfence.model.cluster import Snapshot
from podfence.model.flow import Decision, Verdict, Walk
from podfence.model.policy import Place, Policy
from podfence.semantics import decide

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """One question, decided."""

    question: Question
    decision: Decision
    misses: tuple[Miss, ...]

    @property
    def verdict(self) -> Verdict:
        return self.decision.verdict

    def miss(self, walk: Walk) -> Miss | None:
        return next((miss for miss in self.misses if miss.direction is walk.direction), None)


@dataclass(frozen=True)
class Oracle:
    """Answers about one snapshot, again and again: what was found once is not looked for twice."""

    snapshot: Snapshot
    namespace: str = "default"
    _answered: dict[tuple[str, str, str], tuple[Answer, ...]] = field(default_factory=dict, compare=False)

    def ask(self, source: str, destination: str, port: str) -> tuple[Answer, ...]:
        """UsageError when a name stands for nothing."""
        key = (source, destination, port)
        if key not in self._answered:
            self._answered[key] = tuple(self._answers(source, destination, port_asked(port)))
        return self._answered[key]

    def _answers(self, source: str, destination: str, asked: PortAsked) -> Iterator[Answer]:
        here, there = self._ends.find(source), self._ends.find(destination)
        for question in self._asking.questions(here, there, asked):
            decision = decide(self.snapshot, question.flow)
            yield Answer(question, decision, nearest(self.snapshot, decision))

    @cached_property
    def _ends(self) -> Ends:
        return Ends(self.snapshot, self.namespace)

    @cached_property
    def _asking(self) -> Asking:
        return Asking(self.snapshot)


def overall(answers: Iterable[Answer]) -> Verdict:
    """Denied if any is."""
    denied = any(answer.verdict is Verdict.DENIED for answer in answers)
    return Verdict.DENIED if denied else Verdict.ALLOWED


def rule_place(policy: Policy, path: str) -> Place:
    """Where a path stands; when it does not stand there, where the nearest thing around it does."""
    while path and path not in policy.places:
        path = path.rpartition(".")[0] if not path.endswith("]") else path.rpartition("[")[0]
    return policy.place(path)


def answer_json(answer: Answer) -> Json:
    question, flow = answer.question, answer.decision.flow
    return {
        "src": question.source.title,
        "dst": question.destination.title,
        "src_address": str(flow.source),
        "dst_address": str(flow.destination),
        "protocol": str(flow.protocol),
        "ports": None if question.ports is None else str(question.ports),
        **({"via": question.via} if question.via else {}),
        **_assumed(question),
        "verdict": answer.verdict.value,
        "reasons": reasons(answer),
    }


def _assumed(question: Question) -> Json:
    """What of the two pods no input gave: such an answer is about a pod as it might be."""
    ends = {"src": question.source.pod, "dst": question.destination.pod}
    found = {name: sorted(pod.assumed) for name, pod in ends.items() if pod and pod.assumed}
    return {"assumed": found} if found else {}


def reasons(answer: Answer) -> list[Json]:
    """Both directions, egress first."""
    return [_walk(walk, answer.miss(walk)) for walk in answer.decision.walks]


def _walk(walk: Walk, miss: Miss | None) -> Json:
    told: Json = {
        "direction": walk.direction.value,
        "verdict": walk.verdict.value,
        "because": walk.because.value,
    }
    if walk.tier:
        told["tier"] = walk.tier.value
    if walk.isolating:
        told["isolated_by"] = [_at(policy, "") for policy in walk.isolating]
    if walk.match:
        told["rule"] = _at(walk.match.policy, walk.match.path)
    if miss:
        told["nearest"] = _miss(miss)
    return told


def _at(policy: Policy, path: str) -> Json:
    place = rule_place(policy, path)
    where = {"file": place.file, "line": place.line} if place.line else {}
    return {"policy": policy.title, **({"path": path} if path else {}), **where}


def _miss(miss: Miss) -> Json:
    return {
        **_at(miss.policy, miss.path),
        "missed": miss.condition.value,
        "sentence": miss.sentence,
        "edit": {"path": miss.edit.path, "add": miss.edit.written(miss.policy), "text": miss.instruction},
    }
