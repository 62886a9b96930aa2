"""How fast and in how much memory other tools' files are read: a k6 NDJSON file of a given size, generated here.

    python benchmarks/import_streaming.py [--mib 1024] [--gzip] [--keep]

Each measurement is taken in a process of its own, so that its peak memory is the importer's and not the generator's.
Prints one line of JSON per file: size, seconds, peak MiB, rows and requests.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

MIB = 1024 * 1024
_POINT = '{"metric":"%s","type":"Point","data":{"time":"%s.%09dZ","value":%s,"tags":%s}}\n'
_TAGS = (
    '{"expected_response":"true","group":"","method":"GET","name":"http://127.0.0.1:8080/","proto":"HTTP/1.1",'
    '"scenario":"default","status":"200","url":"http://127.0.0.1:8080/"}'
)
_TRENDS = (
    "http_req_blocked", "http_req_connecting", "http_req_tls_handshaking", "http_req_sending", "http_req_waiting",
    "http_req_receiving",
)  # fmt: skip
_READER = """
import json, resource, sys, time
import bizra_gate.importers as importers
begun = time.perf_counter()
with open(sys.argv[1], "rb") as file:
    (found,) = importers.read(importers.Stream(file, "big.json"))
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": round(seconds, 2), "peak_mib": round(peak, 1), "requests": found.operations,
                  "p99_ms": found.latency.histogram.quantile(0.99) / 1e6}))
"""


def rows(seed: int = 1) -> Iterator[str]:
    """Points of a run of 5,000 requests a second, without end."""
    rng = random.Random(seed)
    request = 0
    while True:
        second, ns = divmod(request * 200_000, 10**9)
        clock = f"2026-11-22T{second // 3600 % 24:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        ms = rng.lognormvariate(2.0, 0.4)
        yield _POINT % ("http_reqs", clock, ns, 1, _TAGS)
        yield _POINT % ("http_req_duration", clock, ns, f"{ms:.6f}", _TAGS)
        for name in _TRENDS:
            yield _POINT % (name, clock, ns, "0.012345", _TAGS)
        yield _POINT % ("http_req_failed", clock, ns, 0, _TAGS)
        yield _POINT % ("iteration_duration", clock, ns, f"{ms + 0.02:.6f}", "{}")
        yield _POINT % ("iterations", clock, ns, 1, "{}")
        if request % 5000 == 0:
            yield _POINT % ("vus", clock, ns, 50, "{}")
        request += 1


def generate(path: Path, size: int) -> int:
    """Write about `size` bytes of NDJSON (before compression) to `path`; returns the number of rows."""
    opener = gzip.open if path.suffix == ".gz" else open
    written = count = 0
    batch: list[str] = []
    with opener(path, "wt", **({"compresslevel": 1} if path.suffix == ".gz" else {})) as file:  # type: ignore[call-overload]
        for row in rows():
            batch.append(row)
            written += len(row)
            count += 1
            if len(batch) == 20_000 or written >= size:
                file.write("".join(batch))
                batch.clear()
            if written >= size:
                return count
    return count


def measure(path: Path) -> dict[str, object]:
    """Read `path` in a fresh process."""
    done = subprocess.run([sys.executable, "-c", _READER, str(path)], capture_output=True, text=True, check=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024, help="size of the file, MiB")
    parser.add_argument("--gzip", action="store_true", help="compress it")
    parser.add_argument("--keep", action="store_true", help="leave the file where it is, and say where")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="import-streaming-"))
    path = folder / ("big.json.gz" if options.gzip else "big.json")
    count = generate(path, options.mib * MIB)
    print(json.dumps({"mib": options.mib, "gzip": options.gzip, "rows": count, **measure(path)}))
    if options.keep:
        print(path)
    else:
        path.unlink()
        folder.rmdir()


if __name__ == "__main__":
    main()
