"""What the page on running the gateway says is so."""

import re
from pathlib import Path

import pytest

from soullink.entrypoints.cli.commands import llm
from soullink.entrypoints.llm_service.access import PROMPT, PURPOSE, RUN
from soullink.entrypoints.llm_service.app import MAX_BODY_BYTES, build_app
from soullink.entrypoints.llm_service.faults import FAULTS
from soullink.entrypoints.llm_service.openai_request import Defaults
from soullink.entrypoints.llm_service.serving import GRACE_SECONDS
from soullink.gateways.llm.assembly import AssembledGateway, Books
from soullink.gateways.llm.config import read_config
from soullink.gateways.llm.keys.fake import FakeKeys
from soullink.gateways.llm.keys.port import REVOKED_WITHIN_SECONDS
from soullink.gateways.llm.ledger.memory import MemoryLedger
from tests.conftest import REPOSITORY
from tests.llm_service.fakes import FakeGateway, PlayedModel

TEXT = (REPOSITORY / "docs" / "how-to" / "run-the-gateway.md").read_text("utf-8")
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "LOCAL_KEY")


@pytest.mark.anyio
async def test_the_configuration_can_be_read_and_opened(tmp_path: Path) -> None:
    [example] = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    path = tmp_path / "llm.yaml"
    path.write_text(example, "utf-8")
    config = read_config(path)
    assert set(config.routes) == {"fast", "careful", "vectors"}
    assert config.tenants["notebooks"].weight == 2
    ledger = MemoryLedger()
    gateway = AssembledGateway(config, dict.fromkeys(KEYS, "sk-of-the-page"), Books(ledger, ledger))
    for card in gateway.models():
        opening = gateway.model if card.kind == "chat" else gateway.embedder
        assert opening(card.name).name == card.name
    await gateway.close()


@pytest.mark.anyio
async def test_every_address_is_on_the_page() -> None:
    app = build_app(FakeGateway(PlayedModel(lambda _: "")), FakeKeys())
    for resource in app.router.resources():
        path = resource.canonical.replace("{name}", "NAME")
        assert path in TEXT or path == "/{path}", path


def test_every_status_is_on_the_page_or_rare() -> None:
    rare = {409, 500}
    assert {fault.status for _, fault in FAULTS} - rare == {
        int(status) for status in re.findall(r"^\| (\d{3}) \|", TEXT, re.MULTILINE)
    }


def test_the_figures_on_the_page_are_those_of_the_code() -> None:
    defaults = Defaults()
    for figure in (
        f"gets {defaults.max_output_tokens} tokens",
        f"{defaults.timeout_seconds:g} seconds",
        f"flight have {GRACE_SECONDS:g} seconds",
        f"within {REVOKED_WITHIN_SECONDS:g} seconds",
        f"larger than {MAX_BODY_BYTES // 1024**2} MB",
        *(f"`{header}`" for header in (RUN, PROMPT, PURPOSE)),
    ):
        assert figure in TEXT.replace("\n", " "), figure
    assert llm.serve_llm.__doc__ is not None
    assert f"within {REVOKED_WITHIN_SECONDS:g} seconds" in (llm.revoke_key.__doc__ or "")
