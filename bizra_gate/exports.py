"""Artifact → bytes that other tools read.

Signature forms carry the same signature and need no key. The others are made from the measurement in the artifact,
whose figures are derived anew; they are not signed.
"""

from __future__ import annotations

from collections.abc import Callable

from . import exporters, pipeline
from .attest import envelope, export_dsse, export_sigstore_bundle

Exporter = Callable[[bytes, str], bytes]


def _dsse(data: bytes, name: str) -> bytes:
    return export_dsse(envelope.read(data, name))


def _sigstore(data: bytes, name: str) -> bytes:
    return export_sigstore_bundle(envelope.read(data, name))


def _pae(data: bytes, name: str) -> bytes:
    """The very bytes that the signature covers, for ``openssl pkeyutl -verify -rawin``."""
    return envelope.read(data, name).signed_bytes


def _of_measurement(render: exporters.Exporter) -> Exporter:
    def export(data: bytes, name: str) -> bytes:
        benchmark = pipeline.decode_artifact(data, name)
        return render(benchmark.measurement, benchmark.metrics()).encode()

    return export


EXPORTERS: dict[str, Exporter] = {
    "dsse": _dsse,
    "pae": _pae,
    "sigstore-bundle": _sigstore,
    **{form: _of_measurement(render) for form, render in exporters.EXPORTERS.items()},
}
"""What the user types after ``--to`` → the exporter."""
