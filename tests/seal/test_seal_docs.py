"""What the pages about the seal say is what the program knows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from seal_builders import House

from bizra_gate.attest import parse_keyring

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "SECURITY.md",
    "docs/threat-model.md",
    "docs/seal.md",
    "docs/interop.md",
    "tests/conformance/README.md",
)
CODE = re.compile(
    r"`((?:signature|key|keyring|freshness|binding|ledger)\.[a-z_]+)`|`(malformed|path|kind)`",
)


def test_the_keyring_of_the_page_is_one(house: House) -> None:
    page = (ROOT / "docs" / "seal.md").read_text()
    text = page.partition("```toml\n")[2].partition("```")[0].replace("ssh-ed25519 AAAA…", house.key.public.openssh())
    ring = parse_keyring(text)
    assert (ring.version, ring.threshold(["benchmark"]), ring.keys[0].roles) == (7, 2, ("benchmark", "checkpoint"))
    assert ring.keys[0].revoked is not None


def test_every_code_of_the_pages_is_one_that_the_program_gives() -> None:
    source = "".join(path.read_text() for path in (ROOT / "bizra_gate").rglob("*.py"))
    told = {code or word for page in PAGES for code, word in CODE.findall((ROOT / page).read_text())}
    assert len(told) > 20
    assert {code for code in told if f'"{code}"' not in source} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text())
    assert {target for target in targets if not ((ROOT / page).parent / target).exists()} == set()
