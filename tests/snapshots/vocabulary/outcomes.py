"""Made-up edits of primary, secondary and other outcomes."""

from tests.snapshots.vocabulary.cases import Case, Edit, Json, Still
from tests.snapshots.whole_record import GONE

PRIMARY, SECONDARY, OTHER = (
    f"protocolSection.outcomesModule.{level}Outcomes" for level in ("primary", "secondary", "other")
)
LISTS = {"primary": PRIMARY, "secondary": SECONDARY, "other": OTHER}
SLEEP = {"measure": "Hours of sleep", "timeFrame": "Week 12"}
NEW = [
    SLEEP,
    {"measure": "Survival"},
    {"measure": "Cost of care (EUR)", "timeFrame": "1 year", "description": "Of the payer."},
]
TEMPERATURE = {"measure": "Body temperature", "timeFrame": "Week 12", "description": "Measured under the tongue."}


def come_and_go(level: str) -> list[Case]:
    """Outcomes that are in no other list, added and removed, and one in place of another."""
    return [
        *(
            Case(
                f"{level}_outcome.added",
                [(LISTS[level], NEW[:n])],
                was=[(LISTS[level], NEW[: n - 1])],
                about=NEW[n - 1]["measure"],
            )
            for n in (1, 2, 3)
        ),
        *(
            Case(
                f"{level}_outcome.removed",
                [(LISTS[level], NEW[: n - 1])],
                was=[(LISTS[level], NEW[:n])],
                about=NEW[n - 1]["measure"],
            )
            for n in (1, 2, 3)
        ),
    ]


def moved(
    kind: str,
    frm: str,
    to: str,
    outcome: dict[str, Json],
    now: dict[str, Json] | None = None,
    *also: tuple[str, str | None, str | None],
    edge: str = "",
) -> Case:
    """An outcome that goes from one list to another."""
    was: list[Edit] = [(LISTS[frm], [outcome, NEW[1]]), (LISTS[to], [NEW[2]])]
    name = (now or outcome)["measure"]
    return Case(
        kind,
        [(LISTS[frm], [NEW[1]]), (LISTS[to], [NEW[2], now or outcome])],
        was=was,
        about=name,
        also=also,
        edge=edge or f"{frm} to {to} {name}",
    )


def field(kind: str, place: str, was: Json, now: Json, about: str) -> Case:
    return Case(kind, [(place, now)], was=[(place, was)], about=about, before=was, after=now)


CASES = [
    *(case for level in LISTS for case in come_and_go(level)),
    moved("primary_outcome.demoted", "primary", "secondary", SLEEP),
    moved("primary_outcome.demoted", "primary", "other", SLEEP),
    moved(
        "primary_outcome.demoted",
        "primary",
        "secondary",
        SLEEP,
        {**SLEEP, "timeFrame": "Week 24"},
        ("secondary_outcome.changed", "Hours of sleep", None),
        edge="demoted and measured at another time",
    ),
    moved("primary_outcome.promoted", "secondary", "primary", SLEEP),
    moved("primary_outcome.promoted", "other", "primary", SLEEP),
    moved(
        "primary_outcome.promoted",
        "secondary",
        "primary",
        SLEEP,
        {**SLEEP, "timeFrame": "Week 24"},
        ("primary_outcome.time_frame_changed", "Hours of sleep", None),
        edge="promoted and measured at another time",
    ),
    *(
        field("primary_outcome.reworded", f"{PRIMARY}[0].measure", was, now, now)
        for was, now in (
            ("Body temperature", "Body core temperature"),
            ("Change in walking distance", "Change from baseline in walking distance at 12 weeks"),
            ("Forced expiratory volume (FEV1) < 80 %", "Forced expiratory volume (FEV1) > 80 %"),
        )
    ),
    field("primary_outcome.time_frame_changed", f"{PRIMARY}[0].timeFrame", "Week 12", "Week 16", "Body temperature"),
    field("primary_outcome.time_frame_changed", f"{PRIMARY}[0].timeFrame", None, "Week 16", "Body temperature"),
    field(
        "primary_outcome.time_frame_changed", f"{PRIMARY}[0].timeFrame", "59 months", "58 months", "Body temperature"
    ),
    field(
        "primary_outcome.description_changed",
        f"{PRIMARY}[0].description",
        "In the ear.",
        "In the mouth.",
        "Body temperature",
    ),
    field(
        "primary_outcome.description_changed", f"{PRIMARY}[0].description", None, "In the mouth.", "Body temperature"
    ),
    field(
        "primary_outcome.description_changed", f"{PRIMARY}[0].description", "In the mouth.", None, "Body temperature"
    ),
    Case(
        "primary_outcome.reworded",
        [(f"{PRIMARY}[0]", {"measure": "Body temperatures", "timeFrame": "Week 16", "description": "In the ear."})],
        was=[(f"{PRIMARY}[0]", TEMPERATURE)],
        about="Body temperatures",
        also=[
            ("primary_outcome.time_frame_changed", "Body temperatures", None),
            ("primary_outcome.description_changed", "Body temperatures", None),
        ],
        edge="each of the three is an entry of its own",
    ),
    *(
        Case(
            f"{level}_outcome.changed", [(LISTS[level], [{**SLEEP, **now}])], was=[(LISTS[level], [SLEEP])], about=name
        )
        for level in ("secondary", "other")
        for now, name in (
            ({"timeFrame": "Week 16"}, "Hours of sleep"),
            ({"description": "By diary."}, "Hours of sleep"),
            ({"measure": "Number of hours of sleep"}, "Number of hours of sleep"),
            ({"timeFrame": "Week 16", "description": "By diary."}, "Hours of sleep"),
        )
    ),
    moved("other_outcome.changed", "secondary", "other", SLEEP, edge="a move to the other outcomes"),
    moved("secondary_outcome.changed", "other", "secondary", SLEEP, edge="a move to the secondary outcomes"),
]
STILL = [
    Still("the case and punctuation of a measure", [(f"{PRIMARY}[0].measure", "BODY temperature.")]),
    Still("the layout of a time frame", [(f"{PRIMARY}[0].timeFrame", "Week  12\n")]),
    Still("an empty description", [(f"{SECONDARY}[1].description", "")]),
    Still("no list and an empty one", [(OTHER, [])], [(OTHER, GONE)]),
]
