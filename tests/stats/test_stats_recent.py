"""Answers about the very same nouns are made once, and what they are about is let go in time."""

from __future__ import annotations

import pytest

from bizra_gate.stats import recent
from bizra_gate.stats.recent import Recent


class Noun:
    """Equal to every other one: only its identity tells it apart."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Noun)

    def __hash__(self) -> int:
        return 0


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Recent[str]:
    monkeypatch.setattr(Recent, "every", [])
    return Recent[str](2)


def ask(answers: Recent[str], *about: object, question: object = None, now: str) -> str:
    return answers.answer(about, question, lambda: now)


def test_an_answer_is_for_these_very_objects_and_this_question(answers: Recent[str]) -> None:
    one, other = Noun(), Noun()
    assert ask(answers, one, now="a") == ask(answers, one, now="b") == "a"
    assert ask(answers, other, now="c") == "c"
    assert ask(answers, one, question=0.95, now="d") == "d"
    assert ask(answers, one, other, now="e") == "e"
    assert ask(answers, other, one, now="f") == "f"


def test_the_oldest_answers_give_way(answers: Recent[str]) -> None:
    first, second, third = Noun(), Noun(), Noun()
    for noun in (first, second, third):
        ask(answers, noun, now="then")
    assert [ask(answers, noun, now="now") for noun in (third, second, first)] == ["then", "then", "now"]


def test_many_answers_are_kept_for_as_long_as_that_is_asked_and_none_afterwards(answers: Recent[str]) -> None:
    nouns = [Noun() for _ in range(recent.MANY)]
    with recent.of_many():
        for noun in nouns:
            ask(answers, noun, now="then")
        assert {ask(answers, noun, now="now") for noun in nouns} == {"then"}
    assert not answers._known
    for noun in nouns:
        ask(answers, noun, now="one by one")
    assert len(answers._known) == 2


def test_what_is_noted_is_the_answer(answers: Recent[str]) -> None:
    noun = Noun()
    answers.note((noun,), None, "known")
    assert ask(answers, noun, now="made") == "known"


def test_answers_are_let_go_after_a_failure_too(answers: Recent[str]) -> None:
    def fail() -> None:
        with recent.of_many():
            ask(answers, Noun(), now="then")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert not answers._known
    assert Recent.fewest == 0
