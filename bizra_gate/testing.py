"""For tests of your own: a clock that moves when told to, and a target that does as scripted.

    from bizra_gate import load
    from bizra_gate.model import ClosedLoop, Environment, Plan, Warmup
    from bizra_gate.testing import Answer, FakeClock, FakeTarget

    plan = Plan("fake:script", ClosedLoop(4), Warmup(1_000_000_000), duration_ns=10_000_000_000)
    target = FakeTarget(lambda index: Answer(service_ns=5_000_000))
    measurement = load.run(plan, target, FakeClock(), Environment())
    assert measurement.operations == 8000

No process is started and no time passes.
"""

from .load.clock import FakeClock
from .targets.fake import Answer, FakeTarget

__all__ = ["Answer", "FakeClock", "FakeTarget"]
