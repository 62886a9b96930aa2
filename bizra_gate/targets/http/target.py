"""``http://…`` and ``https://…`` as a target: what it is, and a driver for each worker."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from ...errors import UsageError
from ...model import HttpRequest, Plan
from .dial import tls_context
from .driver import EngineName, HttpDriver
from .endpoint import Endpoint, parse
from .expect import Expectation
from .feeds import Row
from .template import Template

ASKING_S = 5.0


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
        """The URL without credentials, the method, and what the server calls itself: its digest it does not show."""
        endpoint = parse(self.spec)
        template = Template(endpoint, self.request, self.rows, seed=1)
        said = {"name": endpoint.url, "method": template.method}
        server = server_name(endpoint, template.path(0), verify_tls=self.request.verify_tls)
        return said if server is None else {**said, "server": server}


def server_name(endpoint: Endpoint, path: str, *, verify_tls: bool = True) -> str | None:
    """The ``Server`` header of one HEAD request, such as ``nginx/1.22.1``; None where there is none to be had.

    It goes where the load goes: past every proxy that the environment names, and after no redirect.
    """
    try:
        asking = _connection(endpoint, verify_tls=verify_tls)
        with closing(asking):
            asking.request("HEAD", path, headers={"User-Agent": "bizra-gate", "Accept": "*/*"})
            header = asking.getresponse().getheader("Server")
    except (OSError, HTTPException, ValueError):
        return None
    return header[:200] if header else None


def _connection(endpoint: Endpoint, *, verify_tls: bool) -> HTTPConnection:
    if not endpoint.tls:
        return HTTPConnection(endpoint.host, endpoint.port, timeout=ASKING_S)
    context = tls_context(verify=verify_tls)
    return HTTPSConnection(endpoint.host, endpoint.port, timeout=ASKING_S, context=context)
