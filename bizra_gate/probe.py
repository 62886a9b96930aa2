"""What machine and software a measurement was made on: facts that change numbers, no names of hosts or people.

Every fact is looked for where the system keeps it; what is not there stays None. Nothing here raises.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from .model import Environment
from .version import __version__

PACKAGES = ("numpy", "scipy", "httptools", "uvloop", "hdrhistogram")
"""Whose versions decide what the harness costs."""

Read = Callable[[str], str | None]
"""A file of the system as text, None where there is none."""

_CPU = "/sys/devices/system/cpu"
_MODEL_NAME = re.compile(r"^model name\s*:\s*(.+)$", re.M)
_LIMIT_BYTES = 1 << 16


def environment(read: Read | None = None) -> Environment:
    """Look around. `read` stands in for the system's files in tests."""
    look = read if read is not None else _kernel_text
    return Environment(
        cpu_model=cpu_model(look),
        cpu_count=os.cpu_count(),
        cpu_hz=cpu_hz(look),
        memory_bytes=memory_bytes(look),
        system=platform.system() or None,
        kernel=platform.release() or None,
        architecture=platform.machine() or None,
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        virtualization=virtualization(look),
        governor=governor(look),
        turbo=turbo(look),
        smt=_flag(look(f"{_CPU}/smt/active")),
        aslr=aslr(look),
        container=container(look),
        cpu_quota=cpu_quota(look),
        load_average=load_average(),
        debug_build=is_debug_build(),
        tool_version=__version__,
        packages=packages(),
        flags=interpreter_flags(),
    )


def cpu_model(read: Read) -> str | None:
    """``/proc/cpuinfo`` on Linux, ``sysctl`` on macOS."""
    if sys.platform == "darwin":
        return _sysctl("machdep.cpu.brand_string")
    found = _MODEL_NAME.search(read("/proc/cpuinfo") or "")
    return found[1].strip() if found else platform.processor() or None


def cpu_hz(read: Read) -> float | None:
    """The highest frequency that the system knows of, else the one of now."""
    highest = _number(read(f"{_CPU}/cpu0/cpufreq/cpuinfo_max_freq"))
    if highest is not None:
        return highest * 1000
    found = re.search(r"^cpu MHz\s*:\s*([\d.]+)$", read("/proc/cpuinfo") or "", re.M)
    return float(found[1]) * 1e6 if found else None


def memory_bytes(read: Read) -> int | None:
    """Installed memory."""
    found = re.search(r"^MemTotal:\s+(\d+) kB$", read("/proc/meminfo") or "", re.M)
    if found:
        return int(found[1]) * 1024
    text = _sysctl("hw.memsize") if sys.platform == "darwin" else None
    return int(text) if text and text.isdigit() else None


def virtualization(read: Read) -> str | None:
    """What the machine says it is inside of: ``kvm``, ``vmware``, ``wsl``, ``hypervisor`` …; ``none`` where a Linux
    machine says that it is not."""
    if "microsoft" in platform.release().lower():
        return "wsl"
    product = f"{read('/sys/class/dmi/id/sys_vendor') or ''} {read('/sys/class/dmi/id/product_name') or ''}".lower()
    for word, name in (
        ("qemu", "kvm"), ("kvm", "kvm"), ("vmware", "vmware"), ("virtualbox", "virtualbox"), ("xen", "xen"),
        ("amazon ec2", "amazon"), ("google", "google"), ("microsoft", "hyper-v"), ("firecracker", "firecracker"),
    ):  # fmt: skip
        if word in product:
            return name
    clock = (read("/sys/devices/system/clocksource/clocksource0/available_clocksource") or "").split()
    if "kvm-clock" in clock:
        return "kvm"
    cpuinfo = read("/proc/cpuinfo")
    if cpuinfo is None:
        return None
    return "hypervisor" if re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.M) else "none"


def governor(read: Read) -> str | None:
    """How the kernel chooses the frequency of the first core."""
    text = read(f"{_CPU}/cpu0/cpufreq/scaling_governor")
    return text.strip() or None if text is not None else None


def turbo(read: Read) -> bool | None:
    """Whether cores may go above their nominal frequency (Intel: ``no_turbo``; others: ``boost``)."""
    off = _flag(read(f"{_CPU}/intel_pstate/no_turbo"))
    return (not off) if off is not None else _flag(read(f"{_CPU}/cpufreq/boost"))


def aslr(read: Read) -> bool | None:
    """Whether addresses are random."""
    level = _number(read("/proc/sys/kernel/randomize_va_space"))
    return None if level is None else level > 0


def container(read: Read) -> bool | None:
    """Whether this process lives in a container; None where that cannot be seen."""
    if not sys.platform.startswith("linux"):
        return None
    if any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv")):
        return True
    groups = read("/proc/1/cgroup") or ""
    return any(word in groups for word in ("docker", "kubepods", "containerd", "lxc", "libpod"))


def cpu_quota(read: Read) -> float | None:
    """Cores that the control group grants (cgroup 2 ``cpu.max``, cgroup 1 ``cpu.cfs_quota_us``); None: no limit."""
    own = re.search(r"^0::(/.*)$", read("/proc/self/cgroup") or "", re.M)
    places = ["", *([own[1].rstrip("/")] if own else [])]
    quotas = [_quota(read(f"/sys/fs/cgroup{place}/cpu.max")) for place in places]
    allowed = _number(read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"))
    every = _number(read("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))
    quotas.append(allowed / every if allowed and every and allowed > 0 else None)
    return min((quota for quota in quotas if quota is not None), default=None)


def _quota(text: str | None) -> float | None:
    """``200000 100000`` → 2.0; ``max 100000`` → None."""
    quota, _, period = (text or "").strip().partition(" ")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def load_average() -> float | None:
    """Over the last minute."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None


def is_debug_build() -> bool:
    """A debug build of Python, or one with assertions, is several times slower."""
    return bool(sysconfig.get_config_var("Py_DEBUG")) or hasattr(sys, "gettotalrefcount")


def packages() -> Mapping[str, str]:
    """Versions of the harness's own dependencies, as far as they are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def interpreter_flags(mapped: str | None = None) -> Mapping[str, str]:
    """What changes the speed of Python code: optimisation, hash seed, threads without the lock, build, compiler.

    ``enable_optimizations`` is CPython's own name for a profile-guided build; one without it takes about half as long
    again for the same program. Windows does not tell, nor does Debian's own program. `mapped` stands in for the files
    that are mapped into this process.
    """
    flags = {"optimize": str(sys.flags.optimize), "hash_randomization": str(sys.flags.hash_randomization)}
    is_gil_enabled = getattr(sys, "_is_gil_enabled", None)
    if is_gil_enabled is not None:
        flags["gil"] = str(bool(is_gil_enabled())).lower()
    built = sysconfig.get_config_var("CONFIG_ARGS")
    if isinstance(built, str) and not _of_another_build(built, _mapped() if mapped is None else mapped):
        flags["enable_optimizations"] = str("--enable-optimizations" in built).lower()
    compiler = platform.python_compiler()
    return flags | ({"compiler": compiler} if compiler else {})


def _of_another_build(built: str, mapped: str) -> bool:
    """Whether `built` are the arguments of the shared library beside a program that has none in it.

    Debian and Ubuntu build both, ship the program with the arguments of the library, and use profiles for the program.
    """
    return "--enable-shared" in built and bool(mapped) and "/libpython" not in mapped


def _mapped() -> str:
    """What Linux has mapped into this process, empty elsewhere; the kernel hands it out page by page."""
    try:
        return Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _flag(text: str | None) -> bool | None:
    number = _number(text)
    return None if number is None else number != 0


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None


def _sysctl(name: str) -> str | None:
    """One value of macOS's ``sysctl``."""
    try:
        done = subprocess.run(["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _kernel_text(path: str) -> str | None:
    """The beginning of a file that the kernel keeps."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        return os.read(descriptor, _LIMIT_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    finally:
        os.close(descriptor)
