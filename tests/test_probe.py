"""What is told of a machine, from files that a test provides."""

from __future__ import annotations

import dataclasses
import os
import platform
import socket
import sysconfig

import pytest

from bizra_gate import binding, probe
from bizra_gate.evidence.benchmark import Benchmark, Tool
from bizra_gate.model import Environment, Measurement, Source

CPUINFO = """processor\t: 0
model name\t: Example CPU @ 3.00GHz
cpu MHz\t\t: 2994.375
flags\t\t: fpu vme hypervisor sse2
"""


def files(**more: str) -> probe.Read:
    known = {
        "/proc/cpuinfo": CPUINFO,
        "/proc/meminfo": "MemTotal:       16384 kB\nMemFree: 1 kB\n",
        "/proc/sys/kernel/randomize_va_space": "2\n",
        "/sys/devices/system/cpu/smt/active": "1\n",
    }
    return (known | {path.replace("__", "/"): text for path, text in more.items()}).get


def reading(extra: dict[str, str]) -> probe.Read:
    return lambda path: extra.get(path, files()(path))


CPU = "/sys/devices/system/cpu"


def test_the_facts_come_from_where_the_kernel_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe.sys, "platform", "linux")
    found = probe.environment(reading({f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave\n"}))
    assert found.cpu_model == "Example CPU @ 3.00GHz"
    assert found.cpu_hz == pytest.approx(2.994375e9)
    assert found.memory_bytes == 16384 * 1024
    assert (found.smt, found.aslr, found.governor) == (True, True, "powersave")


def test_nothing_there_is_not_measured_and_nothing_breaks() -> None:
    found = probe.environment(lambda path: None)
    assert (found.cpu_hz, found.governor, found.turbo, found.smt, found.aslr, found.cpu_quota) == (None,) * 6
    assert found.python == platform.python_version()


def test_garbage_in_the_kernels_files_breaks_nothing() -> None:
    assert probe.environment(lambda path: "\ufffd garbage\n\n:").cpu_quota is None


@pytest.mark.parametrize(
    ("extra", "turbo"),
    [({f"{CPU}/intel_pstate/no_turbo": "0"}, True), ({f"{CPU}/intel_pstate/no_turbo": "1"}, False),
     ({f"{CPU}/cpufreq/boost": "1"}, True), ({}, None)],
)  # fmt: skip
def test_turbo_is_named_differently_by_different_drivers(extra: dict[str, str], turbo: bool | None) -> None:
    assert probe.turbo(reading(extra)) is turbo


@pytest.mark.parametrize(
    ("extra", "quota"),
    [
        ({"/sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"/sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"/proc/self/cgroup": "0::/box\n", "/sys/fs/cgroup/box/cpu.max": "50000 100000\n"}, 0.5),
        ({"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, 2.0),
        ({"/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_a_quota_of_cores_is_told_in_cores(extra: dict[str, str], quota: float | None) -> None:
    assert probe.cpu_quota(reading(extra)) == quota


@pytest.mark.parametrize(
    ("extra", "name"),
    [
        ({"/sys/class/dmi/id/sys_vendor": "QEMU\n"}, "kvm"),
        ({"/sys/class/dmi/id/product_name": "VMware Virtual Platform"}, "vmware"),
        ({}, "hypervisor"),
        ({"/proc/cpuinfo": "flags\t: fpu\n"}, "none"),
    ],
)
def test_virtualization_is_told_as_far_as_the_machine_tells_it(
    extra: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe.platform, "release", lambda: "6.1.0")
    assert probe.virtualization(reading(extra)) == name


def test_neither_the_host_nor_the_person_is_named() -> None:
    text = repr(dataclasses.asdict(probe.environment()))
    names = {socket.gethostname(), os.environ.get("USER", ""), os.path.expanduser("~")}
    for name in names:
        if len(name) > 4:
            assert name not in text


@pytest.mark.parametrize(
    ("built", "said"),
    [("'--enable-optimizations' '--with-lto'", "true"), ("'--enable-shared'", "false"), (None, None)],
)
def test_whether_the_interpreter_was_built_with_profiles_is_recorded(
    built: str | None, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: built)
    flags = probe.interpreter_flags(mapped="7f00-7f01 r--p 0 fe:00 9  /usr/lib/libpython3.11.so.1.0\n")
    assert flags.get("enable_optimizations") == said
    assert Environment(flags=flags).unoptimised_python == (said == "false")


@pytest.mark.parametrize(("mapped", "said"), [("5500-5600 r--p 0 fe:00 9  /usr/bin/python3.11\n", None), ("", "false")])
def test_arguments_of_a_library_that_is_not_loaded_say_nothing_of_the_program(
    mapped: str, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's program is built with profiles and carries the arguments of the library beside it."""
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: "'--enable-shared' '--prefix=/usr'")
    assert probe.interpreter_flags(mapped=mapped).get("enable_optimizations") == said


def test_two_builds_of_one_python_are_two_environments() -> None:
    keys = []
    for optimised in ("true", "false"):
        machine = Environment(python="3.11.7", flags={"enable_optimizations": optimised})
        measured = Measurement(Source("t"), environment=machine)
        keys.append(binding.environment_key(Benchmark("r", "2026-11-22T07:00:00Z", Tool("t", "1"), measured, {})))
    assert keys == ["? / ? / ? / ? / Python 3.11", "? / ? / ? / ? / Python 3.11 built without --enable-optimizations"]
