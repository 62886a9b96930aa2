"""``import``: another tool's output becomes a signed artifact, so that gates can judge it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import values
from ..app import command


@command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="What the other tool wrote; - is standard input.")],
    from_: Annotated[str | None, typer.Option("--from", help="The tool; left out, it is recognised.")] = None,
    connections: Annotated[int | None, typer.Option(min=1, help="Connections (users) that there were.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads of the generator.")] = None,
    target_rate: Annotated[str | None, typer.Option(help="Rate that was asked for, e.g. 1000/s.")] = None,
    target_duration: Annotated[str | None, typer.Option(help="Duration that was asked for, e.g. 30s.")] = None,
    min_duration: Annotated[str | None, typer.Option(help="Policy: counted phase at least. Default 120s.")] = None,
    min_warmup: Annotated[str | None, typer.Option(help="Policy: warm-up at least. Default 30s.")] = None,
    max_error_rate: Annotated[str | None, typer.Option(help="Policy: errors at most. Default 1 %.")] = None,
    name: Annotated[str | None, typer.Option(help="Which measurement, where the file holds several.")] = None,
    artifact: Annotated[Path | None, typer.Option(help="Where the artifact goes.", show_default=False)] = None,
    key: Annotated[Path | None, typer.Option(help="Private key file.", show_default=False)] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Turn another tool's output into a signed artifact; the report will say who measured."""
    from ... import keystore, pipeline
    from .. import reading, summary

    signer = keystore.load(key)
    policy = reading.policy(min_duration, min_warmup, max_error_rate)
    said = reading.stated(connections, threads, target_rate, target_duration)
    with reading.at_hand(file) as (copy, shown):
        found = reading.foreign(copy, from_, said)
        chosen = [one for one in found if name is None or one.name == name]
        if not chosen:
            known = ", ".join(sorted(one.name or "(unnamed)" for one in found))
            raise typer.BadParameter(f"{shown} holds no measurement {name!r}; it has {known}", param_hint="--name")
        several = len(chosen) > 1
        taken: set[str] = set()
        for index, measurement in enumerate(chosen):
            label = measurement.name or f"{copy.stem}-{index + 1}"
            stem = values.name_of(label if several or name else copy.name.partition(".")[0])
            if stem in taken:
                stem = f"{stem}-{index + 1}"
            taken.add(stem)
            place = artifact if artifact is not None and not several else Path("artifacts") / f"{stem}.json"
            wrote = Path(measurement.source.file or copy)
            made = pipeline.import_measurement(measurement, wrote, root=Path.cwd(), artifact=place, signer=signer)
            if not quiet:
                summary.imported(made, policy)
