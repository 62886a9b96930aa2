"""``http://…`` and ``https://…`` as a target: what it is, and a driver for each worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import UsageError
from ...model import HttpRequest, Plan
from .driver import EngineName, HttpDriver
from .endpoint import parse
from .expect import Expectation
from .feeds import Row
from .template import Template


@dataclass(frozen=True)
class HttpTarget:
    """Picklable. `rows` are those of ``request.data``, read by whoever may read files (`feeds.parse`)."""

    spec: str
    request: HttpRequest = field(default_factory=HttpRequest)
    rows: tuple[Row, ...] = ()
    engine: EngineName | None = None
    """None: the one that fits the system, see `driver.default_engine`."""
    kind: str = "http"

    def __post_init__(self) -> None:
        """Every mistake in the URL, the request or the expectation shows here, before a process is started."""
        if self.request.data is not None and not self.rows:
            raise UsageError(f"{self.request.data}: the rows of the data file were not read")
        Template(parse(self.spec), self.request, self.rows, seed=1)
        Expectation(self.request)

    def driver(self, task_plan: Plan) -> HttpDriver:
        return HttpDriver(self.spec, self.request, task_plan, self.rows, self.engine)

    def identity(self) -> Mapping[str, str]:
        """The URL without credentials, and the method: an HTTP server does not show its digest."""
        return {"name": parse(self.spec).url, "method": self.request.method.upper()}
