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

_ABOUT_SCHEMAS = re.compile(
    r"invalid schema|schema is invalid|invalid_json_schema|invalid_function_parameters|schema:"
    r"|in context=|\btools[.\[]|function_declarations",
    re.IGNORECASE,
)
"""What is wrong within one caller's schema or tool, which may use any name."""


def is_unsupported(complaint: str, *names: str) -> bool:
    """Return whether `complaint` says that a parameter called one of `names` is not taken.

    All callers go without it then, so one caller's schema or tool must not be taken for it.
    """
    return not _ABOUT_SCHEMAS.search(complaint) and is_unknown(complaint, *names)


def is_unknown(complaint: str, *names: str) -> bool:
    """Return whether one of `names` itself, nothing within it, is not taken, here or in a tool."""
    whole = "|".join(rf"(?<!\w){re.escape(n)}" if n[0].isalnum() else re.escape(n) for n in names)
    return bool(
        _UNSUPPORTED.search(complaint)
        and re.search(rf"(?:{whole})(?!\w|\.\w|\[)", complaint, re.IGNORECASE)
    )


def is_refused(complaint: str, *names: str) -> bool:
    """Return whether something called one of `names`, or a part of it, is not taken."""
    lowered = complaint.lower()
    return bool(_UNSUPPORTED.search(complaint)) and any(name.lower() in lowered for name in names)
