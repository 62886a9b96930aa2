"""What `bizra-gate init` puts into an existing repository. Nothing that exists is overwritten."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import repository, store
from .errors import UsageError

WORKFLOW_PATH = ".github/workflows/bizra-gate.yml"
GATE = """\
# A gate: a claim, how its evidence is measured, and the checks that the evidence must pass.
#   measure it   bizra-gate bench gates/example.toml      (150 s: 30 s warm-up, 120 s counted)
#   judge it     bizra-gate verify                        (what CI runs)
name  = "example"
claim = "500 orders are parsed 100 times a second, 99 times in 100 within 20 ms"
owner = "you@example.com"

[measure]
target   = "py:gates/example_target.py:ParseOrders"   # or "http://127.0.0.1:8080/", "py:module:attr", "cmd:./program"
load     = { loop = "closed", concurrency = 1 }            # or { loop = "open", rate = "2k/s" } for a server
warmup   = "30s"
duration = "120s"
runs     = 1
sources  = ["gates/example_target.py"]                     # evidence goes stale when one of these files changes

[evidence]
artifact = "artifacts/example.json"
kind     = "benchmark"
max_age  = "180d"
signers  = { role = "benchmark", threshold = 1 }

# [policy]                        # what the audit asks before any check is looked at; these are the defaults
# min_duration = "120s"
# min_warmup   = "30s"
# max_error_rate = "1 %"

[[check]]
metric   = "throughput"
pass     = ">= 100/s"
severity = "must"
why      = "a hundred shops send 500 orders each in the second in which the office opens"

[[check]]
metric   = "latency.p99"
pass     = "<= 20 ms"
warn     = "<= 40 ms"
severity = "must"
"""

TARGET = '''\
"""The operation behind gates/example.toml. A class is made once per worker; each call is one operation."""

import json


class ParseOrders:
    def __init__(self):
        orders = [{"id": i, "item": f"item {i % 17}", "price": i * 0.25, "tags": ["a", "b"]} for i in range(500)]
        self.text = json.dumps({"orders": orders})

    def __call__(self):
        return json.loads(self.text)

    def validate(self, result):
        return len(result["orders"]) == 500
'''

WORKFLOW = """\
name: bizra-gate
on:
  push:
    branches: ["{branch}"]
  pull_request:
permissions:
  contents: read
jobs:
  verify:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v5
        with:
          fetch-depth: 0
      - uses: actions/setup-python@v6
        with:
          python-version: "3.12"
{install}
      # A pull request is judged by the gates, the keyring and the waivers of its base: it cannot loosen its own gate
      # unseen. The one that brings the first gate is therefore INCONCLUSIVE.
      - run: bizra-gate verify --format github ${{GITHUB_BASE_REF:+--base "origin/$GITHUB_BASE_REF"}}
"""
UNKNOWN = """\
      # bizra-gate was installed from a folder that only one machine has. Say where CI is to get it, for example
      #   pip install "bizra-gate @ git+https://HOST/OWNER/bizra-gate@COMMIT"
      # The bare name would be whatever an index serves under it.
      - run: echo "Say in {path} where bizra-gate comes from."; exit 1"""

ATTRIBUTES = "artifacts/*.json text eol=lf\n"


@dataclass(frozen=True, slots=True)
class Step:
    """One file of the starter set and what happened to it."""

    path: str
    action: str


def workflow(branch: str, source: str | None) -> str:
    """The CI workflow for pushes to `branch`; `source` is the requirement that installs this tool, if anybody can."""
    install = f"      - run: pip install '{source}'" if source else UNKNOWN.format(path=WORKFLOW_PATH)
    return WORKFLOW.format(branch=branch, install=install)


def init(root: Path, source: str | None) -> list[Step]:
    """Write the starter files below `root`; a file that exists is kept and reported as kept.

    `source` is the requirement that the CI workflow installs (`origin.of_this`); without one the workflow stops with
    a sentence that asks for it.
    """
    if not root.is_dir():
        raise UsageError(f"{root}: no such directory")
    return [
        *(
            _create(root, path, text)
            for path, text in (
                ("gates/example.toml", GATE),
                ("gates/example_target.py", TARGET),
                (WORKFLOW_PATH, workflow(repository.branch(root) or "main", source)),
            )
        ),
        _attributes(root),
    ]


def _create(root: Path, path: str, text: str) -> Step:
    target = store.inside(root, path, "init")
    if target.exists():
        return Step(path, "kept")
    store.write(target, text.encode(), exclusive=True)
    return Step(path, "created")


def _attributes(root: Path) -> Step:
    """Artifacts are compared byte for byte; a checkout that rewrites line ends would break every one."""
    path = root / ".gitattributes"
    before = path.read_bytes() if path.exists() else b""
    if ATTRIBUTES.encode().strip() in before:
        return Step(".gitattributes", "kept")
    glue = b"" if not before or before.endswith(b"\n") else b"\n"
    store.write(path, before + glue + ATTRIBUTES.encode())
    return Step(".gitattributes", "extended" if before else "created")
