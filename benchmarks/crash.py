"""Kills the tool at every moment that it has: nothing damaged, nothing lost, nobody left running.

    python benchmarks/crash.py [--kills N] [--seed N] [--only PART …]

Parts: `bench`, `command` (a bench of a command), `import`, `append`, `trust`, `crowd` (several writers at once) and
`full` (no room on the disk). A command is killed in three ways: after a random time; at each step that touches the
repository in turn (opening for writing, flushing, renaming, removing); and by the kernel in the middle of a write,
after a random number of bytes. Whatever happens, every file that was there must be there, unchanged or replaced as a
whole; the ledger must verify, or report lines that were cut off and verify after the next append; the hidden files
that a killed writer leaves must be gone after the next write; and no process of the killed run may live ten seconds
later. Linux only.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.extend(str(Path(__file__).parent.parent / "tests" / room) for room in ("seal", "cli"))

from cli_builders import honest_measurement
from seal_builders import House

from bizra_gate import keystore, ledgers, opening, store
from bizra_gate.attest import PrivateKey, open_artifact
from bizra_gate.errors import BizraGateError
from bizra_gate.model import Measurement

TOKEN = "BIZRA_GATE_CRASH_RUN"
ALIVE_S = 10.0
FOREIGN = Path(__file__).parent.parent / "tests" / "importers" / "fixtures" / "wrk" / "closed-c6.txt"
TARGET = "def op():\n    return sum(range(5000))\n"
HOOK = """
import os, resource, signal, sys
root, step, limit = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sys.argv[1:4] = []
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
done = 0
def reached():
    global done
    done += 1
    if done == step:
        os.kill(os.getpid(), signal.SIGKILL)
def touches(event, args):
    if event in ("os.rename", "os.remove", "os.mkdir", "os.link"):
        return True
    return event == "open" and bool((args[2] or 0) & (os.O_WRONLY | os.O_RDWR))
def hook(event, args):
    if args and isinstance(args[0], (str, bytes, os.PathLike)) and touches(event, args):
        if os.path.abspath(os.fsdecode(args[0])).startswith(root):
            reached()
sys.addaudithook(hook)
flush = os.fsync
def fsync(handle):
    reached()
    flush(handle)
    reached()
os.fsync = fsync
from bizra_gate.cli import main
main()
"""
"""Runs the command line; kills itself at step N, or lets the kernel do it in the middle of a write."""


@dataclass
class Site:
    """A repository to be hurt, and what was in it before."""

    house: House
    measurement: Measurement
    made: int = 0

    @classmethod
    def make(cls, folder: Path, measurement: Measurement) -> Site:
        house = House.make(folder / "repo", measurement)
        house.write("target.py", TARGET)
        site = cls(house, measurement)
        site.listed()
        return site

    @property
    def root(self) -> Path:
        return self.house.root

    def artifact(self) -> Path:
        """One more artifact, which no ledger lists yet."""
        self.made += 1
        return self.house.seal(name=f"made-{self.made}")

    def public(self) -> Path:
        self.made += 1
        path = self.root.parent / f"key-{self.made}.pub"
        path.write_text(PrivateKey.generate().public.openssh())
        return path

    def listed(self) -> None:
        """The ledger brought up to date, as the next run would."""
        paths = sorted((self.root / "artifacts").glob("*.json"))
        ledgers.append(self.root, paths, self.house.key, now(), None)

    def files(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and ".tmp" not in path.suffixes and "__pycache__" not in path.parts
        }

    def leftovers(self) -> list[Path]:
        return [path for path in self.root.rglob(".*.tmp") if path.is_file()]


@dataclass
class Part:
    """One command under attack; `words` prepares a run and gives its command line."""

    name: str
    words: Callable[[Site], list[str]]
    may_change: tuple[str, ...]


@dataclass
class Tally:
    name: str
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def now() -> datetime:
    return datetime.now(UTC)


def bench(site: Site, target: str) -> list[str]:
    return ["bench", target, "--duration", "400ms", "--warmup", "100ms", "--workers", "2", "--concurrency", "2",
            "--artifact", "artifacts/measured.json", "--key", str(site.house.key_file), "--quiet"]  # fmt: skip


def imported(site: Site) -> list[str]:
    return ["import", str(FOREIGN), "--artifact", "artifacts/imported.json", "--key", str(site.house.key_file)]


def appended(site: Site) -> list[str]:
    site.artifact()
    return ["ledger", "append", "--key", str(site.house.key_file)]


PARTS = {
    "bench": Part("bench", lambda site: bench(site, "py:target.py:op"), ("artifacts/measured.json",)),
    "command": Part("bench of a command", lambda site: bench(site, "cmd:sleep 20"), ("artifacts/measured.json",)),
    "import": Part("import", imported, ("artifacts/imported.json",)),
    "append": Part("ledger append", appended, ("ledger/entries", "ledger/checkpoint")),
    "trust": Part("trust", lambda site: ["trust", str(site.public()), "--owner", "B"], ("gates/keyring.toml",)),
}


# ── one run ──────────────────────────────────────────────────────────────────────────────────────────────────────


def start(site: Site, words: list[str], *, step: int = 0, limit: int = 0) -> tuple[subprocess.Popen[bytes], str]:
    token = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-c", HOOK, str(site.root), str(step), str(limit), *words],
        cwd=site.root, env={**os.environ, TOKEN: token}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    return process, token


def living(token: str) -> list[int]:
    """Processes that carry `token` in their environment, zombies left out."""
    wanted = f"{TOKEN}={token}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if wanted in Path(f"/proc/{name}/environ").read_bytes().split(b"\0"):
                    found.append(int(name))
            except OSError:
                continue
    return found


def orphans(token: str) -> int:
    """How many processes of a killed run go on living; they are ended here."""
    deadline = time.monotonic() + ALIVE_S
    while living(token) and time.monotonic() < deadline:
        time.sleep(0.02)
    left = living(token)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return len(left)


def damage(site: Site, before: dict[str, bytes], part: Part) -> Iterator[str]:
    """Everything that is wrong with the files after a kill."""
    after = site.files()
    for name, data in before.items():
        if name not in after:
            yield f"{name} is lost"
        elif after[name] != data and name not in part.may_change:
            yield f"{name} has changed"
    ring = opening.read_keyring(site.root / "gates" / "keyring.toml")
    assert ring is not None
    for name in after.keys() - before.keys() | set(part.may_change) & after.keys():
        if name.startswith("artifacts/"):
            try:
                open_artifact(after[name], ring, now())
            except BizraGateError as error:
                yield f"{name} is damaged: {error.message}"
    if not after.get("ledger/entries", b"").startswith(before.get("ledger/entries", b"")):
        yield "the ledger does not continue what it was"


def ledger_faults(site: Site) -> list[str]:
    return [reason.code for reason in ledgers.check(site.root, opening.ring_of(site.root), now())]


def look(tally: Tally, site: Site, before: dict[str, bytes], part: Part, token: str, what: str) -> None:
    """Judge the state after a kill, mend it as the next run would, and judge that."""
    if left := orphans(token):
        tally.outcomes["orphans"] += left
        tally.faults.append(f"{what}: {left} processes were left running")
    faults = list(damage(site, before, part))
    changed = any(site.files().get(name) != before.get(name) for name in part.may_change)
    codes = ledger_faults(site)
    cut = codes == ["ledger.size"] and part.name == "ledger append"
    if codes and not cut and codes != ["ledger.changed"]:
        faults.append(f"the ledger: {codes}")
    tally.outcomes["cut off, mended" if cut else "new file" if changed else "old file"] += 1
    tally.outcomes["hidden leftovers"] += len(site.leftovers())
    site.listed()
    for name in part.may_change:
        if name in site.files():
            store.write(site.root / name, site.files()[name])  # the next writer clears away what a dead one left
    if ledger_faults(site) or site.leftovers():
        faults.append(f"not mended: {ledger_faults(site)} {[path.name for path in site.leftovers()]}")
    tally.outcomes["damaged or lost"] += len(faults)
    tally.faults += [f"{what}: {fault}" for fault in faults]


def killed_after(tally: Tally, site: Site, part: Part, delay_s: float) -> None:
    words, before = part.words(site), site.files()
    process, token = start(site, words)
    try:
        process.wait(delay_s)
        what = "ended before the kill"
    except subprocess.TimeoutExpired:
        process.kill()
        what = f"killed after {delay_s * 1000:.0f} ms"
        tally.outcomes["kills"] += 1
    process.communicate()
    look(tally, site, before, part, token, f"{part.name}, {what}")


def killed_itself(tally: Tally, site: Site, part: Part, *, step: int = 0, limit: int = 0) -> bool:
    """Whether it came so far as to be killed."""
    words, before = part.words(site), site.files()
    process, token = start(site, words, step=step, limit=limit)
    said = process.communicate(timeout=120)[1].decode(errors="replace")
    what = f"{part.name}, killed {f'at step {step}' if step else f'after {limit} bytes'}"
    killed = process.returncode in (-signal.SIGKILL, -signal.SIGXFSZ)
    tally.outcomes["kills"] += killed
    if not killed and process.returncode and not limit:
        tally.faults.append(f"{part.name}: exit code {process.returncode}: {said}")
    look(tally, site, before, part, token, what)
    return killed


def attack(part: Part, folder: Path, measurement: Measurement, kills: int, dice: random.Random) -> Tally:
    site, tally = Site.make(folder, measurement), Tally(part.name)
    endless, whole_s = part is PARTS["command"], 3.0
    if not endless:
        started = time.monotonic()
        process, _ = start(site, part.words(site))
        said = process.communicate(timeout=120)[1].decode(errors="replace")
        whole_s = time.monotonic() - started
        if process.returncode:
            tally.faults.append(f"{part.name}: exit code {process.returncode}: {said}")
        site.listed()
    for _ in range(kills):
        killed_after(tally, site, part, dice.uniform(0.05, whole_s))
    if endless:
        return tally
    step = 1
    while killed_itself(tally, site, part, step=step):
        step += 1
    tally.outcomes["steps"] = step - 1
    for _ in range(max(1, kills // 4)):
        killed_itself(tally, site, part, limit=dice.randint(1, 6000))
    return tally


# ── several at once, and no room ─────────────────────────────────────────────────────────────────────────────────


def crowd(folder: Path, measurement: Measurement, rounds: int, writers: int = 4) -> Tally:
    """Several of each writer at once: every entry and every key must be there afterwards."""
    site, tally = Site.make(folder, measurement), Tally(f"{writers} writers at once")
    for _ in range(rounds):
        artifacts = [site.artifact() for _ in range(writers)]
        keys = [site.public() for _ in range(2)]
        key = str(site.house.key_file)
        runs = [start(site, ["ledger", "append", str(path), "--key", key])[0] for path in artifacts]
        runs += [start(site, ["trust", str(path), "--owner", "C"])[0] for path in keys]
        runs += [start(site, imported(site))[0] for _ in range(2)]
        for run in runs:
            said = run.communicate(timeout=120)[1].decode(errors="replace")
            tally.outcomes["runs"] += 1
            if run.returncode:
                tally.faults.append(f"exit code {run.returncode}: {said}")
        ring = opening.read_keyring(site.root / "gates" / "keyring.toml")
        known = ring.by_fingerprint() if ring else {}
        lost = [path.name for path in keys if keystore.read_public(path).fingerprint not in known]
        lost += [path.name for path in artifacts if f"artifacts/{path.name}" not in ledgers.read(site.root).ledger.live]
        tally.outcomes["damaged or lost"] += len(lost)
        tally.faults += [f"{name} was lost" for name in lost] + [f"the ledger: {code}" for code in ledger_faults(site)]
        tally.outcomes["hidden leftovers"] += len(site.leftovers())
    return tally


def full(measurement: Measurement, rooms: int, dice: random.Random) -> Tally:
    """On a disk of 512 KiB (a tmpfs in a namespace of our own) with a few bytes to a few pages of room left."""
    tally = Tally("full disk")
    with tempfile.TemporaryDirectory() as name:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", name], capture_output=True)
        if done.returncode:
            tally.faults.append(f"no tmpfs could be mounted: {done.stderr.decode().strip()}")
            return tally
        try:
            site = Site.make(Path(name), measurement)
            for _ in range(rooms):
                for part in (PARTS["import"], PARTS["append"], PARTS["trust"]):
                    no_room(tally, site, part, dice.choice((0, 4096, 8192, 12288)))
        finally:
            subprocess.run(["umount", name], check=False)
    return tally


def no_room(tally: Tally, site: Site, part: Part, left: int) -> None:
    """One run with `left` bytes free."""
    words, before = part.words(site), site.files()
    filler = site.root.parent / "filler"
    free = shutil.disk_usage(site.root).free
    filler.write_bytes(b"\0" * max(0, free - left))
    process, token = start(site, words)
    said = process.communicate(timeout=120)[1].decode(errors="replace")
    filler.unlink()
    tally.outcomes["runs"] += 1
    tally.outcomes["refused" if process.returncode else "fitted"] += 1
    if process.returncode and ("No space left" not in said or "internal error" in said or "Traceback" in said):
        tally.faults.append(f"{part.name} with {left} bytes of room, exit code {process.returncode}: {said}")
    look(tally, site, before, part, token, f"{part.name} with {left} bytes of room")
    for path in (site.root / "artifacts").glob("made-*.json"):  # make room for the next
        ledgers.withdraw(site.root, path, "makes room", site.house.key, now())
        path.unlink()


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────

COLUMNS = ("kills", "steps", "runs", "refused", "old file", "new file", "cut off, mended", "hidden leftovers",
           "orphans", "damaged or lost")  # fmt: skip


def table(tallies: list[Tally]) -> str:
    cells = [[one.name, *(str(one.outcomes.get(name, 0)) for name in COLUMNS)] for one in tallies]
    rows = [f"| {' | '.join(row)} |" for row in [["what", *COLUMNS], *cells]]
    return "\n".join([rows[0], f"|---|{'--:|' * len(COLUMNS)}", *rows[1:]])


def run(name: str, folder: Path, measurement: Measurement, kills: int, dice: random.Random) -> Tally:
    if name == "crowd":
        return crowd(folder, measurement, max(1, kills // 4))
    if name == "full":
        return full(measurement, max(1, kills // 4), dice)
    return attack(PARTS[name], folder, measurement, kills, dice)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40, help="random moments for each command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=[*PARTS, "crowd", "full"])
    asked = parser.parse_args(arguments)
    chosen = asked.only or [*PARTS, "crowd", "full"]
    if "full" in chosen and os.geteuid() != 0:
        os.execvp("unshare", ["unshare", "-rm", sys.executable, __file__, *(arguments or sys.argv[1:])])
    os.environ.pop("BIZRA_GATE_KEY", None)
    measurement, dice = honest_measurement(seconds=10, warmup=1), random.Random(asked.seed)
    tallies = []
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            tallies.append(run(name, Path(folder), measurement, asked.kills, dice))
    print(table(tallies))
    faults = [f"{tally.name}: {fault}" for tally in tallies for fault in tally.faults]
    print("\n".join(faults[:40]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
