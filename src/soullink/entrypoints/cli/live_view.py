"""Shows a course in the terminal while it is lived."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from soullink.entrypoints.cli.output import PEOPLE_STYLES, bar, cell
from soullink.entrypoints.cli.text import printable
from soullink.entrypoints.cli.words import act_label, say, stage_label
from soullink.modules.simulation.api import (
    EpisodeBegan,
    EpisodeEnded,
    Moment,
    PersonState,
    Run,
    Turn,
    TurnTaken,
)

_LONGEST_NAME = 16


class CourseView:
    """Prints each moment of `run` once it is durable.

    show_replayed: also the turns that come from the record; else they are only counted.
    """

    def __init__(self, console: Console, run: Run, *, show_replayed: bool = False) -> None:
        self._console = console
        self._language = run.settings.language
        names = [printable(person.name).strip() for person in run.people]
        if len(names[0].split()) > 1 and len(names[1].split()) > 1:
            names = [name.split()[0] for name in names]
        if names[0] == names[1]:
            names = [printable(person.name).strip() for person in run.people]
        self._names = [name[:_LONGEST_NAME] for name in names]
        self._total = len(run.settings.scenarios) or run.settings.episodes
        self._show_replayed = show_replayed
        self._opening: EpisodeBegan | None = None
        self._replayed = 0

    def __call__(self, moment: Moment) -> None:
        """Show one moment."""
        if isinstance(moment, EpisodeBegan):
            self._opening = moment
        elif isinstance(moment, TurnTaken):
            if moment.replayed and not self._show_replayed:
                self._replayed += 1
                return
            self._open()
            self._turn(moment)
        elif isinstance(moment, EpisodeEnded) and self._opening is None:
            self._ended(moment)

    def _open(self) -> None:
        if self._replayed:
            key = "recorded_one" if self._replayed == 1 else "recorded"
            self._line(Text(say(key, self._language, count=self._replayed), style="dim"))
            self._replayed = 0
        if self._opening is None:
            return
        began, self._opening = self._opening, None
        title = printable(began.title)
        heading = say(
            "episode", self._language, number=began.number, total=self._total, title=title
        )
        stage = stage_label(began.stage, self._language)
        when = say("day", self._language, day=round(began.day), stage=stage)
        self._console.print()
        self._line(Text.assemble((heading, "bold"), ("  " + when, "dim")))
        for happened in began.between:
            self._line(cell("* " + happened, "yellow"))
        self._line(cell(began.setting, "italic"))
        self._console.print()

    def _turn(self, taken: TurnTaken) -> None:
        turn = taken.turn
        for event in taken.event_texts:
            self._line(cell("  * " + event, "yellow"))
        label = Text("  ")
        label.append(self._names[turn.speaker], PEOPLE_STYLES[turn.speaker])
        label.append(" " + act_label(turn.act, self._language), "dim")
        words = self._words(turn)
        if self._console.is_terminal:
            row = Table.grid(padding=(0, 1))
            row.add_column(width=max(24, max(map(len, self._names)) + 18))
            row.add_column(ratio=1, overflow="fold")
            row.add_row(label, words)
            self._console.print(row)
        else:
            self._line(Text.assemble(label, say("colon", self._language), words))

    def _words(self, turn: Turn) -> Text:
        words = Text()
        if turn.interrupted:
            words.append(f"— ({say('interrupts', self._language)}) ", "red")
        if turn.speech.words:
            silent = turn.speech.status == "silent"
            words.append(printable(turn.speech.words), "dim italic" if silent else "")
        else:
            words.append(say("silence", self._language), "dim italic")
        if turn.appraisal.misread:
            listener = self._names[1 - turn.speaker]
            words.append(f"  [{say('misread', self._language, name=listener)}]", "red")
        if turn.speech.status == "fallback":
            faults = printable(", ".join(turn.speech.faults))
            words.append(f"  [{say('fallback', self._language, faults=faults)}]", "dim yellow")
        return words

    def _ended(self, moment: EpisodeEnded) -> None:
        episode = moment.episode
        outcome = say("ended", self._language, outcome=printable(moment.outcome_title))
        style = "green" if episode.success > 0 else "red" if episode.success < 0 else ""
        self._console.print()
        self._line(Text("  " + outcome, style=style))
        width = max(map(len, self._names))
        for person, state in enumerate(episode.after):
            name = Text("  " + self._names[person].ljust(width), style=PEOPLE_STYLES[person])
            self._line(Text.assemble(name, "  ", self._bars(state)))

    def _bars(self, state: PersonState) -> Text:
        """Return mood, closeness and trust as bars; mood reaches from -1 to 1."""
        shown = (
            ("mood", (state.mood + 1.0) / 2.0),
            ("closeness", state.closeness),
            ("trust", state.trust),
        )
        line = Text()
        for key, value in shown:
            line.append(f"{say(key, self._language)} ", "dim")
            line.append(bar(value) + "  ")
        return line

    def _line(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._console.is_terminal)
