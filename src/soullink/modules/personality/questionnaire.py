"""The two IPIP-NEO questionnaires: their items, keys and reliabilities."""

import json
from functools import cache
from importlib.resources import files

from ipipneo.reverse import IPIP_NEO_ITEMS_REVERSED_120, IPIP_NEO_ITEMS_REVERSED_300

from soullink.modules.personality.api import Item
from soullink.modules.profiles.api import DOMAINS, FACETS, Domain, Inventory

LENGTHS: dict[Inventory, int] = {"ipip-neo-120": 120, "ipip-neo-300": 300}

_REVERSED: dict[Inventory, frozenset[int]] = {
    "ipip-neo-120": frozenset(IPIP_NEO_ITEMS_REVERSED_120),
    "ipip-neo-300": frozenset(IPIP_NEO_ITEMS_REVERSED_300),
}

_CYCLE: tuple[Domain, ...] = (
    "neuroticism",
    "extraversion",
    "openness",
    "agreeableness",
    "conscientiousness",
)
"""Both questionnaires ask for N1 E1 O1 A1 C1 N2 ... C6 and then begin anew with N1."""

_DOMAIN_RELIABILITY: dict[Inventory, tuple[float, ...]] = {
    "ipip-neo-120": (0.85, 0.84, 0.84, 0.81, 0.88),
    "ipip-neo-300": (0.92, 0.94, 0.92, 0.91, 0.95),
}

_FACET_RELIABILITY_300: dict[Domain, tuple[float, ...]] = {
    "openness": (0.82, 0.85, 0.81, 0.77, 0.86, 0.86),
    "conscientiousness": (0.78, 0.82, 0.71, 0.79, 0.85, 0.76),
    "extraversion": (0.87, 0.79, 0.84, 0.71, 0.77, 0.81),
    "agreeableness": (0.82, 0.75, 0.77, 0.73, 0.77, 0.75),
    "neuroticism": (0.83, 0.88, 0.89, 0.80, 0.77, 0.82),
}

_FACET_RELIABILITY_120: dict[str, float] = {
    "anxiety": 0.71,
    "anger": 0.77,
    "depression": 0.80,
    "self_consciousness": 0.63,
    "immoderation": 0.69,
    "vulnerability": 0.70,
    "friendliness": 0.77,
    "gregariousness": 0.60,
    "assertiveness": 0.75,
    "activity_level": 0.68,
    "excitement_seeking": 0.67,
    "cheerfulness": 0.71,
    "imagination": 0.70,
    "artistic_interests": 0.72,
    "emotionality": 0.67,
}


@cache
def items(inventory: Inventory) -> tuple[Item, ...]:
    """Return the items of `inventory` in order.

    The texts of IPIP-NEO-300 are not shipped and None.
    """
    texts = _texts() if inventory == "ipip-neo-120" else ()
    found: list[Item] = []
    for number in range(1, LENGTHS[inventory] + 1):
        place = (number - 1) % 30
        domain = _CYCLE[place % 5]
        text = texts[number - 1] if texts else {}
        found.append(
            Item(
                number=number,
                domain=domain,
                facet=FACETS[domain][place // 5],
                key=-1 if number in _REVERSED[inventory] else 1,
                text_en=text.get("en"),
                text_zh=text.get("zh"),
            )
        )
    return tuple(found)


def domain_reliability(inventory: Inventory, domain: Domain) -> float:
    """Return coefficient alpha of a domain scale.

    300 items: Goldberg (1999), the public comparison of IPIP and NEO-PI-R scales, for N, E and O;
    A and C are approximate. 120 items: approximations to the community sample of Johnson (2014),
    whose mean over the five domains is .84.
    """
    return _DOMAIN_RELIABILITY[inventory][DOMAINS.index(domain)]


def facet_reliability(inventory: Inventory, domain: Domain, facet: str) -> float:
    """Return coefficient alpha of a facet scale.

    Both forms: Johnson (2011), the IPIP's comparison of its scales in a community sample, for the
    facets of N and E and the first three of O. For the other facets the 300-item values are
    approximate, by about .02, and for 120 items the Spearman-Brown formula shortens the scale from
    10 items to 4, which is k a / (1 + (k - 1) a) with k = 0.4.
    """
    long_form = _FACET_RELIABILITY_300[domain][FACETS[domain].index(facet)]
    if inventory == "ipip-neo-300":
        return long_form
    shortened = 0.4 * long_form / (1.0 - 0.6 * long_form)
    return _FACET_RELIABILITY_120.get(facet, shortened)


@cache
def _texts() -> tuple[dict[str, str], ...]:
    content = files(__package__).joinpath("ipip_neo_120.json").read_text(encoding="utf-8")
    return tuple(json.loads(content)["items"])
