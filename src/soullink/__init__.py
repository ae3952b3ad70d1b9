"""SoulLink: two people's agents live through situations together before they meet.

>>> import soullink
>>> ada = soullink.load_person("examples/people/ada.yaml")
>>> ben = soullink.load_person("examples/people/ben.yaml")
>>> outcome = soullink.simulate(ada, ben, seed=7)  # doctest: +SKIP
>>> outcome.save(Path("out"))  # doctest: +SKIP

`simulate`, `replay`: live a course, live it again. `simulate_async`, `replay_async`: the same in
an event loop. `open_session`: many runs on one database. `load_person`, `load_people`: profiles.
`screen`, `screen_async`: every pair of two populations (`ScreeningSettings`, `Screened`).
`Profile`, `Settings`, `Fork`, `Outcome`, `Session`: what these take and give; a session also
resumes and forks. `EpisodeBegan`, `TurnTaken`, `EpisodeEnded`: what a watcher is told.
`SoulLinkError`: everything that a caller can cause.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soullink.entrypoints.library import Outcome as Outcome
    from soullink.entrypoints.library import Session as Session
    from soullink.entrypoints.library import load_people as load_people
    from soullink.entrypoints.library import load_person as load_person
    from soullink.entrypoints.library import open_session as open_session
    from soullink.entrypoints.library import replay as replay
    from soullink.entrypoints.library import replay_async as replay_async
    from soullink.entrypoints.library import screen as screen
    from soullink.entrypoints.library import screen_async as screen_async
    from soullink.entrypoints.library import simulate as simulate
    from soullink.entrypoints.library import simulate_async as simulate_async
    from soullink.kernel.errors import SoulLinkError as SoulLinkError
    from soullink.modules.profiles.api import Profile as Profile
    from soullink.modules.simulation.api import EpisodeBegan as EpisodeBegan
    from soullink.modules.simulation.api import EpisodeEnded as EpisodeEnded
    from soullink.modules.simulation.api import Fork as Fork
    from soullink.modules.simulation.api import Settings as Settings
    from soullink.modules.simulation.api import TurnTaken as TurnTaken
    from soullink.modules.simulation.screening.api import Screened as Screened
    from soullink.modules.simulation.screening.api import ScreeningSettings as ScreeningSettings

_LIBRARY = "soullink.entrypoints.library"
_SIMULATION = "soullink.modules.simulation.api"
_SCREENING = "soullink.modules.simulation.screening.api"
_PLACES = {
    "EpisodeBegan": _SIMULATION,
    "EpisodeEnded": _SIMULATION,
    "Fork": _SIMULATION,
    "Outcome": _LIBRARY,
    "Profile": "soullink.modules.profiles.api",
    "Screened": _SCREENING,
    "ScreeningSettings": _SCREENING,
    "Session": _LIBRARY,
    "Settings": _SIMULATION,
    "SoulLinkError": "soullink.kernel.errors",
    "TurnTaken": _SIMULATION,
    "load_people": _LIBRARY,
    "load_person": _LIBRARY,
    "open_session": _LIBRARY,
    "replay": _LIBRARY,
    "replay_async": _LIBRARY,
    "screen": _LIBRARY,
    "screen_async": _LIBRARY,
    "simulate": _LIBRARY,
    "simulate_async": _LIBRARY,
}
__all__ = sorted(_PLACES)  # noqa: PLE0605  (one list of names serves both)


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: `import soullink` alone stays cheap."""
    if name not in _PLACES:
        raise AttributeError(f"module 'soullink' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return __all__
