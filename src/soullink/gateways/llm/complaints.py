"""What a provider's "400 Bad Request" says about single parameters.

Models differ in which parameters they still take (newer ones refuse `temperature`, older ones
`effort`, local servers `response_format`), and a model's name does not tell reliably.
"""

import re

THINKING_TOKENS = 2048
"""Room for models that think before they speak: their thoughts count as output. Not a spend."""

_UNSUPPORTED = re.compile(
    r"unsupported|not support|doesn't support|does not support|no longer support|unrecogni[sz]ed"
    r"|unknown (?:name|field|parameter|argument)|unexpected|not permitted|not allowed|deprecated"
    r"|extra inputs|extra_forbidden|cannot find field|must not be set|is not available",
    re.IGNORECASE,
)


def is_unsupported(complaint: str, *names: str) -> bool:
    """Return whether `complaint` says that a parameter called one of `names` is not taken."""
    lowered = complaint.lower()
    return bool(_UNSUPPORTED.search(complaint)) and any(name.lower() in lowered for name in names)
