"""``http://…`` and ``https://…`` as a target: what it is, and a driver for each worker."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from ...errors import UsageError
from ...model import HttpRequest, Plan
from .driver import EngineName, HttpDriver
from .endpoint import parse
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
        said = {"name": parse(self.spec).url, "method": self.request.method.upper()}
        server = server_name(self.spec, verify_tls=self.request.verify_tls)
        return said if server is None else {**said, "server": server}


def server_name(spec: str, *, verify_tls: bool = True) -> str | None:
    """The ``Server`` header of one HEAD request, such as ``nginx/1.22.1``; None where there is none to be had."""
    url = parse(spec).url
    context = ssl.create_default_context()
    if not verify_tls:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    request = Request(url, method="HEAD")
    try:
        with urlopen(request, timeout=ASKING_S, context=context if url.startswith("https:") else None) as answer:
            header: str | None = answer.headers.get("Server")
    except HTTPError as error:
        header = error.headers.get("Server")
    except (OSError, HTTPException, ValueError):
        return None
    return header[:200] if header else None
