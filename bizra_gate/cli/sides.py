"""The two sides of `compare`: an artifact, another tool's output, or a folder of either."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .. import binding, importers, opening, pipeline, store
from ..attest import check, envelope, parse_instant
from ..attest.keyring import Keyring
from ..audit import examine
from ..errors import FormatError
from ..model import Policy
from ..model.plan import public_target
from ..sides import Side, group_of, setup_of, together
from ..stats.summary import summarize
from . import reading


@dataclass(frozen=True, slots=True)
class Read:
    """What a path holds as one side of a comparison, and what in it was not looked at."""

    sides: tuple[Side, ...]
    notes: tuple[str, ...] = ()
    signed: bool = False
    """Whether there are artifacts in it, which bear signatures."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads either side. `percentiles` (0 < p < 100) are wanted besides the usual ones; no `ring`: nobody is asked."""

    from_: str | None
    percentiles: tuple[float, ...]
    ring: Keyring | None
    now: str

    def read(self, path: Path) -> Read:
        """Every measurement in `path`; several runs of one are one side.

        Raises `UsageError`, `FormatError` or `UntrustedError` with the reason where it cannot be read.
        """
        if not path.is_dir():
            return self._joined(self._of_file(path))
        files, unknown = _outputs_in(path, self.from_)
        if not files:
            return self._joined(self._of_foreign(path))
        found = [side for file in files for side in self._of_file(file)]
        notes = [f"{path}: {', '.join(unknown)} looks like no output of a known tool and was left out"]
        return self._joined(found, tuple(notes if unknown else ()))

    @staticmethod
    def _joined(found: list[Side], notes: tuple[str, ...] = ()) -> Read:
        return Read(tuple(together(found)), notes, any(side.signed for side in found))

    def _of_file(self, file: Path) -> list[Side]:
        small = file.is_file() and file.stat().st_size <= store.MAX_ARTIFACT_BYTES
        data = store.read(file) if small else b""
        if self.from_ in (None, "bizra-gate") and pipeline.is_artifact(data):
            return [self._of_artifact(file, data)]
        return self._of_foreign(file)

    def _of_artifact(self, file: Path, data: bytes) -> Side:
        benchmark = pipeline.decode_artifact(data, str(file))
        measurement = benchmark.measurement
        foreign, plan = measurement.source.foreign, measurement.plan
        return Side(
            file.stem,
            benchmark.metrics(percentiles=self.percentiles),
            opening.audit_of(benchmark, Policy()),
            binding.machine_of(measurement.environment),
            benchmark.run_id,
            foreign,
            measurement.name if plan is None else public_target(plan.target),
            setup_of(measurement),
            group_of(measurement, file.stem) if foreign else None,
            signed=True,
            untrusted=self._distrust(data, str(file)),
        )

    def _distrust(self, data: bytes, file: str) -> str | None:
        """Why the keyring does not trust who signed it."""
        if self.ring is None:
            return None
        verdict = check(envelope.read(data, file), self.ring, parse_instant(self.now))
        return None if verdict.ok else "; ".join(reason.message for reason in verdict.reasons)

    def _of_foreign(self, path: Path) -> list[Side]:
        found = reading.foreign(path, self.from_, importers.Stated())
        digest = store.digest(path) if path.is_file() else None
        return [
            Side(
                one.name or path.stem,
                summarize(one, percentiles=self.percentiles),
                examine(one, Policy()),
                binding.machine_of(one.environment),
                None if digest is None else f"{digest}#{at}",
                True,
                one.name,
                setup_of(one),
                group_of(one, path.stem),
            )
            for at, one in enumerate(found)
        ]


def signatures(base: Read, head: Read, keyring: Path, ring: Keyring | None) -> str:
    """What was looked at of the signatures, in one line; empty where there are none."""
    if not base.signed and not head.signed:
        return ""
    if ring is None:
        return f"signatures were not checked: {keyring} does not exist (--keyring names another)"
    trusted = all(side.untrusted is None for read in (base, head) for side in read.sides)
    return f"{'every signature is trusted' if trusted else 'signatures were checked'} by {keyring}"


def _outputs_in(folder: Path, from_: str | None) -> tuple[list[Path], list[str]]:
    """(outputs, names of the other files) in a folder that holds several; none where it is one result (Criterion)."""
    if any((folder / name).is_file() for name in reading.SAMPLES):
        return [], []
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    known = [file for file in files if from_ is not None or file.suffix == ".json" or _recognised(file)]
    return known, [file.name for file in files if file not in known] if known else []


def _recognised(file: Path) -> bool:
    """Whether a tool claims the file; one that cannot be opened as what it says it is will be told when it is read."""
    with file.open("rb") as raw:
        try:
            return bool(importers.claiming(importers.Stream(raw, file.name)))
        except FormatError:
            return True
