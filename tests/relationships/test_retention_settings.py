"""How long things are kept is read from the environment."""

import pytest

from soullink.kernel.errors import InvalidInputError
from soullink.modules.relationships.api import RetentionRules
from soullink.settings import Settings


def test_what_is_not_set_is_the_default() -> None:
    assert Settings.read({}).retention == RetentionRules(180, 30, 365, 365)
    assert Settings.read({"SOULLINK_RETAIN_TEXT_DAYS": ""}).retention == RetentionRules()


def test_each_rule_has_its_variable() -> None:
    names = ("ENDED", "UNMET", "TEXT", "ARCHIVE")
    environ = {f"SOULLINK_RETAIN_{name}_DAYS": str(n) for n, name in enumerate(names, 1)}
    assert Settings.read(environ).retention == RetentionRules(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SOULLINK_RETAIN_ENDED_DAYS", "-1", "a whole number of days, not '-1'"),
        ("SOULLINK_RETAIN_ENDED_DAYS", "99999", "0 to 36500 days"),
        ("SOULLINK_RETAIN_ARCHIVE_DAYS", "0", "1 to 36500 days"),
    ],
)
def test_what_cannot_be_kept_is_said(name: str, value: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Settings.read({name: value})
