"""Numbers as people read them."""

MINUS = "\u2212"
DASH = "\u2013"
NONE = "\u2014"


def number(value: float | None, decimals: int = 2) -> str:
    """Return `value` with `decimals` digits and a true minus sign; a dash for None."""
    if value is None:
        return NONE
    text = f"{value:,.{decimals}f}"
    rounded_to_zero = float(text.replace(",", "")) == 0
    return text.lstrip("-") if rounded_to_zero else text.replace("-", MINUS)


def signed(value: float, decimals: int = 2) -> str:
    """Return `value` with its sign, zero without one."""
    text = number(value, decimals)
    return f"+{text}" if value > 0 and text.strip("0.,") else text


def percent(share: float) -> str:
    """Return a share 0..1 as whole percent; what is not quite none or all is not rounded to it."""
    whole = round(share * 100)
    if share > 0 and whole == 0:
        return "<1%"
    if share < 1 and whole == 100:
        return ">99%"
    return f"{whole}%"


def span(low: float | None, high: float | None, decimals: int = 0) -> str:
    """Return an interval, e.g. 61\u201384."""
    if low is None or high is None:
        return NONE
    return f"{number(low, decimals)}{DASH}{number(high, decimals)}"


def percent_span(low: float, high: float) -> str:
    """Return an interval of shares 0..1 in whole percent, e.g. 39\u201353%."""
    return f"{round(low * 100)}{DASH}{round(high * 100)}%"


def points(change: float) -> str:
    """Return a change of a probability, -1..1, in signed percentage points."""
    return signed(change * 100, 0)


def points_span(low: float, high: float) -> str:
    """Return an interval of changes of a probability in percentage points, e.g. +5 to +17."""
    return f"{points(low)} \u2026 {points(high)}"


def amount(value: float | None, unit: str) -> str:
    """Return a measure of behaviour in its unit: "ratio", "share" or "count"."""
    if value is None:
        return NONE
    if unit == "share":
        return percent(value)
    if unit == "ratio":
        return f"{number(value, 1)}\u202f:\u202f1"
    return number(value, 0 if float(value).is_integer() else 1)
