"""Throws damaged and hostile input at everything that reads: accepted none, crashed none.

    python benchmarks/fuzz.py [--count N | --seconds N] [--only DECODER …] [--seed N] [ARTIFACT … --keyring FILE]
    python benchmarks/fuzz.py --bits            every file that differs from a small artifact in one bit

`--count` is the number of mutations for each decoder (default 1,000). Real artifacts named on the command line take the
place of the built-in one where signed artifacts are damaged. A *refusal* is one of the tool's own errors with a
sentence in it; *read* means that the input was taken as what it now says, which is right for unsigned definitions and
foreign files, and for a signed file only where the signed bytes are untouched; *accepted* means that changed evidence
was believed; *crashed* is any other exception, or a refusal of signed bytes with another exit code than 4. The
command ends with 1 if anything was accepted or crashed.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from fuzz_decoders import ERRORS, Decoder, artifact_decoders, decoders, small_artifact

BATCH = 200


@dataclass
class Tally:
    """What became of the mutations that one decoder was given."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    """One example of every different fault."""
    seconds: float = 0.0

    def give(self, decoder: Decoder, what: str, data: object) -> None:
        outcome, detail = tried(decoder, data)
        self.outcomes[outcome] += 1
        self.kinds[what] += 1
        if outcome in ("accepted", "crashed"):
            self.faults.setdefault(f"{outcome}: {detail[-160:]}", f"{self.name}: {what}: {outcome}: {detail}")


def tried(decoder: Decoder, data: object) -> tuple[str, str]:
    """(refused, read, accepted or crashed; what it said) for one input."""
    try:
        believed = decoder.feed(data)
    except ERRORS as error:
        said = str(error)
        if decoder.exit_code not in (None, error.exit_code):
            return "crashed", f"exit code {error.exit_code}, expected {decoder.exit_code}: {said}"
        return ("refused", said) if len(said) > 10 else ("crashed", f"{type(error).__name__} without a sentence")
    except Exception as error:  # that is what is looked for
        return "crashed", f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-3)}"
    return believed, ""


def run(decoder: Decoder, *, seed: int, count: int | None, seconds: float | None) -> Tally:
    """Feed `decoder` until `count` mutations or `seconds` are used up."""
    tally = Tally(decoder.name)
    started = time.perf_counter()
    for what, data in _stream(decoder, seed):
        tally.give(decoder, what, data)
        spent = time.perf_counter() - started
        if (count is not None and sum(tally.outcomes.values()) >= count) or (seconds is not None and spent >= seconds):
            break
    tally.seconds = time.perf_counter() - started
    return tally


def _stream(decoder: Decoder, seed: int) -> Iterator[tuple[str, object]]:
    """Mutations of each original in turn, without end."""
    batch = 0
    while True:
        for original in decoder.originals:
            yield from decoder.mutate(original, seed=seed + batch, count=BATCH)
            batch += 1


def bits() -> Tally:
    """Every single-bit flip of a small artifact."""
    decoder, data = small_artifact()
    tally = Tally(f"every bit of {len(data)} bytes")
    started = time.perf_counter()
    for what, flipped in decoder.flips(data):
        tally.give(decoder, what.split(" of ")[0], flipped)
    tally.seconds = time.perf_counter() - started
    return tally


def table(tallies: Iterable[Tally]) -> str:
    """Markdown, one row a decoder."""
    rows = ["| decoder | inputs | refused | read | accepted | crashed | seconds |", "|---|--:|--:|--:|--:|--:|--:|"]
    for one in tallies:
        cells = [f"{one.outcomes[name]:,}" for name in ("refused", "read", "accepted", "crashed")]
        rows.append(f"| {one.name} | {sum(one.outcomes.values()):,} | {' | '.join(cells)} | {one.seconds:.1f} |")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("artifacts", nargs="*", type=Path)
    parser.add_argument("--keyring", type=Path, default=Path("gates/keyring.toml"))
    parser.add_argument("--count", type=int)
    parser.add_argument("--seconds", type=float, help="for each decoder")
    parser.add_argument("--only", action="append")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bits", action="store_true")
    asked = parser.parse_args(arguments)
    count = asked.count if asked.count is not None or asked.seconds is not None else 1000
    known = artifact_decoders(asked.artifacts, asked.keyring) if asked.artifacts else decoders()
    chosen = [one for one in known if not asked.only or one.name in asked.only]
    if not chosen:
        parser.error(f"--only: the decoders are {', '.join(one.name for one in known)}")
    if asked.bits:
        tallies = [bits()]
    else:
        tallies = [run(one, seed=asked.seed, count=count, seconds=asked.seconds) for one in chosen]
    print(table(tallies))
    faults = [fault for tally in tallies for fault in tally.faults.values()]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
