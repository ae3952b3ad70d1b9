"""What people did not tell, in words."""

from collections.abc import Mapping
from typing import Final

from soullink.kernel.language import Text
from soullink.modules.analysis.domain.wording.phrases import text

UNKNOWN: Final[Mapping[str, Text]] = {
    "age": text("age", "年龄"),
    "traits": text("personality (all five traits)", "性格（五项特质）"),
    "attachment": text("how near they like to be (attachment)", "依恋方式"),
    "values": text("what matters to them (values)", "看重什么（价值观）"),
    "interests": text("interests", "兴趣"),
    "goal": text("what they look for", "想找什么样的关系"),
    "children": text("whether they want children", "是否想要孩子"),
}
