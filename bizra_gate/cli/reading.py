"""Files given to `audit`, `import`, `show` and `compare`: our own artifacts, or other tools' outputs."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from .. import comparing, importers, opening, pipeline, store
from ..attest import check, envelope, parse_instant
from ..audit import examine
from ..errors import FormatError
from ..evidence.benchmark import Benchmark, reading_order
from ..model import Measurement, Policy
from ..reports.inputs import AuditedMeasurement, ComparedMetric, Shown
from ..reports.wording_compare import COMPARE_WORDS, compare_reason
from . import values, waiting

SAMPLES = ("sample.json", "new/sample.json", "base/sample.json")
"""Where Criterion puts its samples in the folder of a benchmark; the newest first."""


def policy(min_duration: str | None, min_warmup: str | None, max_error_rate: str | None) -> Policy:
    """The strict policy with what was asked differently."""
    changes = {
        "min_duration_ns": values.duration_ns("--min-duration", min_duration),
        "min_warmup_ns": values.duration_ns("--min-warmup", min_warmup),
        "max_error_rate": values.ratio("--max-error-rate", max_error_rate),
    }
    given = {name: value for name, value in changes.items() if value is not None}
    return dataclasses.replace(Policy(), **given)  # type: ignore[arg-type]


def stated(
    connections: int | None, threads: int | None, target_rate: str | None, target_duration: str | None
) -> importers.Stated:
    """What only the person knows."""
    return importers.Stated(
        connections=connections,
        threads=threads,
        target_rate_per_s=values.rate_per_s("--target-rate", target_rate),
        target_duration_ns=values.duration_ns("--target-duration", target_duration),
    )


def audited(path: Path, from_: str | None, said: importers.Stated, asked: Policy) -> list[AuditedMeasurement]:
    """Every measurement in `path`, audited."""
    with at_hand(path) as (file, shown):
        found = measurements(file, from_, said)
        if path.is_dir():  # of Criterion, which holds many files
            return [pipeline.audit_measurement(one, asked, one.source.file or shown) for one in found]
        called = found if file is path else [_called(one, shown) for one in found]
        return [pipeline.audit_measurement(one, asked, shown) for one in called]


def _called(measurement: Measurement, shown: str) -> Measurement:
    """`measurement` of the copy of what is called `shown`."""
    if not measurement.source.foreign:
        return measurement
    return dataclasses.replace(measurement, source=dataclasses.replace(measurement.source, file=shown))


@contextmanager
def at_hand(path: Path) -> Iterator[tuple[Path, str]]:
    """(file, what to call it): `path` itself, or a copy of what came down a pipe; ``-`` is standard input.

    A pipe cannot be read twice, and the subject of an artifact needs the digest of the whole of it.
    """
    if str(path) != "-" and not path.is_fifo():
        yield path, str(path)
        return
    with tempfile.TemporaryDirectory(prefix="bizra-gate-") as folder:
        copy = Path(folder) / ("standard-input" if str(path) == "-" else path.name)
        with nullcontext(sys.stdin.buffer) if str(path) == "-" else path.open("rb") as pipe, copy.open("wb") as file:
            shutil.copyfileobj(pipe, file, 1 << 20)
        yield copy, "standard input" if str(path) == "-" else str(path)


def measurements(path: Path, from_: str | None, said: importers.Stated) -> list[Measurement]:
    """What `path` holds; raises `UsageError`, `FormatError` or `UntrustedError` with the reason."""
    if path.is_file():
        with path.open("rb") as file:
            head = file.read(4096)
        if from_ in (None, "bizra-gate") and pipeline.is_artifact(head):
            benchmark = pipeline.decode_artifact(store.read(path), str(path))
            return [one for one in (benchmark.measurement, benchmark.against) if one is not None]
    return foreign(path, from_, said)


def foreign(path: Path, from_: str | None, said: importers.Stated) -> list[Measurement]:
    """Another tool's output as measurements; a folder (Criterion) is read by the sample files in it."""
    if not path.is_dir():
        return _of_file(path, str(path), from_, said)
    found = []
    for file in _samples_in(path):
        try:
            found += _of_file(file, str(file), from_, said)
        except FormatError as error:
            raise FormatError(f"{file.parent}: {error.message}", hint=error.hint) from None
    return found


def _of_file(file: Path, shown: str, from_: str | None, said: importers.Stated) -> list[Measurement]:
    if not file.exists():
        raise store.absent(file)
    try:
        total = file.stat().st_size
    except OSError as error:
        raise FormatError(f"{shown}: {(error.strerror or 'cannot be read').lower()}") from None
    with file.open("rb") as raw, waiting.bar(f"reading {file.name}") as progress:
        report = None if progress is None else (lambda done: progress(done, total))
        stream = importers.Stream(raw, file.name, progress=report, beside=_beside(file))
        return [
            dataclasses.replace(one, source=dataclasses.replace(one.source, file=shown))
            for one in importers.read(stream, from_, said)
        ]


def _samples_in(folder: Path) -> list[Path]:
    """The sample files of a Criterion folder, ``new/`` before ``base/``: of one benchmark, or of all below it."""
    own = next((folder / name for name in SAMPLES if (folder / name).is_file()), None)
    if own is not None:
        return [own]
    below = sorted({file.parent.parent for file in folder.rglob("sample.json") if file.parent.name in ("new", "base")})
    if not below and (files := sorted(file for file in folder.glob("*.json") if file.is_file())):
        raise FormatError(
            f"{path_name(folder)}: a folder of files, and not of Criterion's", hint=f"name one of them: {files[0]}"
        )
    if not below:
        raise FormatError(
            f"{path_name(folder)}: a folder without artifacts (*.json), without a known tool's output and without "
            "Criterion's sample.json",
            hint="name the file that the tool wrote",
        )
    return [_samples_in(benchmark)[0] for benchmark in below]


def path_name(path: Path) -> str:
    return path.name or str(path)


def _beside(file: Path) -> Callable[[str], bytes | None]:
    """Reads a companion of `file` by its bare name; names that leave the folder are not followed."""

    def read(name: str) -> bytes | None:
        companion = file.parent / name
        if Path(name).name != name or not companion.is_file():
            return None
        return store.read(companion, limit=64 * 1024 * 1024)

    return read


def shown(path: Path, keyring_path: Path, now: str) -> Shown:
    """One artifact for people: its measurement, the audit's findings, and whether its signature is trusted here."""
    data = store.read(path) if path.is_file() else b""
    if not pipeline.is_artifact(data):
        one = measurements(path, None, importers.Stated())[0]
        audited_one = pipeline.audit_measurement(one, Policy(), str(path))
        return Shown(str(path), one, reading_order(audited_one.metrics), audited_one.audit)
    sealed = envelope.read(data, str(path))
    benchmark = pipeline.decode_artifact(data, str(path))
    ring = opening.read_keyring(keyring_path)
    verdict = None if ring is None else check(sealed, ring, parse_instant(now))
    notes = [] if ring is not None else [f"{keyring_path} does not exist: nobody was asked whether the key is trusted"]
    if verdict is not None and any(reason.code == "signature.unknown" for reason in verdict.reasons):
        notes.append(f"the keyring that was asked is {keyring_path}; --keyring names another")
    if benchmark.against is not None:
        notes += [f"in turn with {benchmark.against.name}: {text}" for text in ratios(benchmark, Policy())]
    return Shown(
        str(path),
        benchmark.measurement,
        reading_order(benchmark.metrics()),
        opening.audit_of(benchmark, Policy()),
        verdict,
        sealed.sha256,
        tuple(notes),
    )


def ratios(benchmark: Benchmark, asked: Policy) -> list[str]:
    """First target over second for each metric, with the interval and what it comes to."""
    assert benchmark.against is not None
    audits = examine(benchmark.measurement, asked), examine(benchmark.against, asked)
    for who, audit in zip(("what was measured", "the second target"), audits, strict=True):
        if audit.verdict == "INVALID":
            return [f"{who} is INVALID ({comparing.because(audit)}): nothing can be compared"]
    found = comparing.in_turn("", benchmark.metrics(), audits, margin=comparing.MARGIN)
    return [_ratio(row) for row in found.rows]


def _ratio(row: ComparedMetric) -> str:
    if row.ratio is None or row.low is None or row.high is None:
        return f"{row.metric}: {compare_reason(row)}"
    said = f"{row.metric} {row.ratio:.3f} times [{row.low:.3f}, {row.high:.3f}]"
    return f"{said}, {COMPARE_WORDS[row.verdict]}: {compare_reason(row)}"
