"""Nouns that fill their own slots are what the standard library's dataclasses are."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from bizra_gate.audit.ranges import Range
from bizra_gate.model import Figure, Latency, Measurement, Metric, Source
from bizra_gate.model.quick import quick


@dataclass(frozen=True, slots=True)
class Noun:
    name: str
    size: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[int, ...] = ()


PLAIN_INIT = Noun.__init__
quick(Noun)


def plain(*values: object, **named: object) -> Noun:
    """A noun that was made as the standard library makes it."""
    made = object.__new__(Noun)
    PLAIN_INIT(made, *values, **named)  # type: ignore[arg-type]
    return made


@quick
@dataclass(frozen=True, slots=True)
class Single:
    only: tuple[int, ...]


GIVEN: list[tuple[tuple[object, ...], dict[str, object]]] = [
    (("a",), {}),
    (("a", 3, {"b": "c"}, (1, 2)), {}),
    ((), {"parts": (4,), "name": "d"}),
    (("a", None), {"labels": {}}),
]


@pytest.mark.parametrize(("values", "named"), GIVEN)
def test_a_quick_noun_has_the_members_that_the_plain_one_has(
    values: tuple[object, ...], named: dict[str, object]
) -> None:
    usual, made = plain(*values, **named), Noun(*values, **named)  # type: ignore[arg-type]
    assert dataclasses.asdict(made) == dataclasses.asdict(usual)
    assert repr(made) == repr(usual)
    assert made == usual == Noun(*values, **named)  # type: ignore[arg-type]
    assert made != dataclasses.replace(made, name="another")


@pytest.mark.parametrize(
    ("values", "named"), [((), {}), (("a", 1, {}, (), 5), {}), (("a",), {"nick": "b"}), (("a",), {"name": "b"})]
)
def test_what_the_plain_noun_refuses_is_refused(values: tuple[object, ...], named: dict[str, object]) -> None:
    for make in (plain, Noun):
        with pytest.raises(TypeError, match=r"__init__\(\) (missing|takes|got)"):
            make(*values, **named)  # type: ignore[arg-type]


def test_every_noun_gets_a_container_of_its_own() -> None:
    assert Noun("a").labels == {}
    assert Noun("a").labels is not Noun("a").labels


def test_members_are_not_assigned_or_taken_away() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Noun("a").name = "b"  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del Noun("a").name


@pytest.mark.parametrize(
    "noun",
    [
        Noun("a", 3, {"b": "c"}, (1, 2)),
        Single((1, 2)),
        Metric("latency.p99", "ns", "lower", 5.0, (4.0, None), n=7, process_values=(5.0,)),
        Measurement(Source("own"), latency=Latency(mean=Figure(2.0, 1.0))),
        Range(1.0, 2.0),
    ],
)
def test_a_noun_arrives_in_another_process_and_is_copied_as_it_is(noun: object) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(noun, protocol)) == noun
    assert copy.deepcopy(noun) == copy.copy(noun) == noun


def test_help_and_type_hints_name_the_same_parameters() -> None:
    assert list(inspect.signature(Noun.__init__).parameters) == list(inspect.signature(PLAIN_INIT).parameters)
    assert Noun.__init__.__annotations__ == PLAIN_INIT.__annotations__


def test_a_class_that_does_more_than_take_its_members_is_refused() -> None:
    @dataclass(frozen=True)
    class Loose:
        name: str

    @dataclass(slots=True)
    class Changing:
        name: str

    @dataclass(frozen=True, slots=True)
    class Checking:
        name: str

        def __post_init__(self) -> None:
            raise ValueError(self.name)

    @dataclass(frozen=True, slots=True)
    class Counting:
        name: str
        count: int = field(default=0, init=False)

    @dataclass(frozen=True, slots=True)
    class Empty:
        pass

    for noun in (Loose, Changing, Checking, Counting, Empty):
        with pytest.raises(TypeError, match="only takes its members"):
            quick(noun)
