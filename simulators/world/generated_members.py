"""Invent sixty members of Congress and the committees they sit on.

Names, ids and seats are fictional; committee ids and names are the public ones, so that rules about committees and
sectors apply. A second snapshot, some months later, moves a few seats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from simulators.world.records import CommitteeSnapshot, Fields

HOUSE_COUNT = 40
SENATE_COUNT = 20
# The first snapshot lies before the first simulated day, the second well within the default half year.
FIRST_SNAPSHOT_BEFORE_DAYS = 30
SECOND_SNAPSHOT_AFTER_DAYS = 90
_MOVES = 6

# ruff: noqa: SIM905 - a line of names reads better than a list of sixty quoted ones.
_FIRST_NAMES = (
    "Alma Bennett Clara Dorian Edith Felix Greta Harlan Imogen Jasper Katya Leland Maren Nolan Opal Preston "
    "Quincy Rosalind Silas Theodora Ulysses Verna Wendell Ximena Yolanda Zachary Ambrose Beatrix Cyrus Delphine"
).split()
_LAST_NAMES = (
    "Abernathy Bracken Calloway Dunmore Eastwick Fairbairn Garrick Hollis Ingram Jessup Kettering Lockridge "
    "Merriweather Norwood Oakhurst Pemberton Quillfeather Ravenscroft Stanhope Thackeray Underhill Vandermeer "
    "Whitlock Yardley Zeller Ashgrove Birchall Crestwell Drummond Ellsworth Farthing Goodwyn Hathersage Islington "
    "Juniper Kingsley Larkspur Mossman Nettlefold Orchard Pinefield Quarles Rookwood Summerlin Tanglewood Upchurch "
    "Vexley Winterbourne Yarrow Zimmerhoff Alderson Bellweather Copperfield Dovetail Evermore Foxglove Greenough "
    "Hawthorne Ironside Jarndyce"
).split()
_STATES = "AL AZ CA CO CT FL GA IA IL IN KS KY LA MA MD ME MI MN MO NC NE NJ NM NV NY OH OR PA SC TN TX VA WA".split()

# id, name, chamber, jurisdiction
_COMMITTEES: tuple[tuple[str, str, str, str], ...] = (
    (
        "HSAG",
        "House Committee on Agriculture",
        "House",
        "agriculture, food, rural development, forestry",
    ),
    (
        "HSAS",
        "House Committee on Armed Services",
        "House",
        "defense, the armed forces, military procurement",
    ),
    (
        "HSBA",
        "House Committee on Financial Services",
        "House",
        "banking, insurance, securities, housing finance",
    ),
    (
        "HSIF",
        "House Committee on Energy and Commerce",
        "House",
        "energy, health care, telecommunications, commerce",
    ),
    (
        "HSII",
        "House Committee on Natural Resources",
        "House",
        "mining, public lands, water, mineral resources",
    ),
    (
        "HSPW",
        "House Committee on Transportation and Infrastructure",
        "House",
        "rail, aviation, roads, water works",
    ),
    (
        "HSSY",
        "House Committee on Science, Space, and Technology",
        "House",
        "research, space, computing, standards",
    ),
    ("HSWM", "House Committee on Ways and Means", "House", "taxation, trade, social security"),
    (
        "SSAF",
        "Senate Committee on Agriculture, Nutrition, and Forestry",
        "Senate",
        "agriculture, nutrition, forestry",
    ),
    (
        "SSAS",
        "Senate Committee on Armed Services",
        "Senate",
        "defense, the armed forces, military procurement",
    ),
    (
        "SSBK",
        "Senate Committee on Banking, Housing, and Urban Affairs",
        "Senate",
        "banking, securities, housing",
    ),
    (
        "SSCM",
        "Senate Committee on Commerce, Science, and Transportation",
        "Senate",
        "commerce, communications, science",
    ),
    (
        "SSEG",
        "Senate Committee on Energy and Natural Resources",
        "Senate",
        "energy, mining, public lands",
    ),
    ("SSFI", "Senate Committee on Finance", "Senate", "taxation, trade, health programs"),
    (
        "SSHR",
        "Senate Committee on Health, Education, Labor, and Pensions",
        "Senate",
        "health, education, labor",
    ),
)
_SUBCOMMITTEES = ("Oversight and Investigations", "Innovation and Competition")


@dataclass(frozen=True, slots=True)
class Member:
    """One fictional member. ``district`` is None for senators."""

    bioguide: str
    first: str
    last: str
    chamber: str
    state: str
    district: int | None
    party: str

    @property
    def name(self) -> str:
        """Return the name as the disclosures spell it."""
        return f"{self.first} {self.last}"


def make_members(seed: int) -> list[Member]:
    """Return the members, the House first."""
    random = Random(f"{seed}:members")
    lasts = random.sample(_LAST_NAMES, HOUSE_COUNT + SENATE_COUNT)
    members = []
    for position, last in enumerate(lasts):
        in_house = position < HOUSE_COUNT
        members.append(
            Member(
                bioguide=f"{last[0]}{990_001 + position:06d}",
                first=random.choice(_FIRST_NAMES),
                last=last,
                chamber="House" if in_house else "Senate",
                state=random.choice(_STATES),
                district=random.randint(1, 14) if in_house else None,
                party="I" if position == HOUSE_COUNT + SENATE_COUNT - 1 else random.choice("DR"),
            )
        )
    return members


def make_snapshots(seed: int, start: date) -> list[CommitteeSnapshot]:
    """Return who sat where shortly before ``start``, and again some months later."""
    random = Random(f"{seed}:committees")
    members = make_members(seed)
    seats: dict[str, list[Member]] = {}
    for code, _, chamber, _ in _COMMITTEES:
        own = [member for member in members if member.chamber == chamber]
        seats[code] = random.sample(own, random.randint(8, 14 if chamber == "House" else 10))
    first_on = start - timedelta(days=FIRST_SNAPSHOT_BEFORE_DAYS)
    first = _snapshot(first_on, start, members, seats)
    for _ in range(_MOVES):
        code, _, chamber, _ = random.choice(_COMMITTEES)
        outside = [
            member for member in members if member.chamber == chamber and member not in seats[code]
        ]
        leaver = random.choice(seats[code])
        seats[code] = [member for member in seats[code] if member != leaver] + [
            random.choice(outside)
        ]
    second_on = start + timedelta(days=SECOND_SNAPSHOT_AFTER_DAYS)
    return [first, _snapshot(second_on, start, members, seats)]


def _snapshot(
    as_of: date, start: date, members: list[Member], seats: dict[str, list[Member]]
) -> CommitteeSnapshot:
    committees: list[Fields] = []
    for code, name, chamber, jurisdiction in _COMMITTEES:
        sitting = seats[code]
        halves = (sitting[::2], sitting[1::2])
        committees.append(
            {
                "id": code,
                "name": name,
                "chamber": chamber,
                "url": f"https://{code.lower()}.example.gov/",
                "jurisdiction": f"The {name} considers {jurisdiction}.",
                "members": _seats(sitting),
                "subcommittees": [
                    {"id": f"{code}{number:02d}", "name": title, "members": _seats(half)}
                    for number, (title, half) in enumerate(
                        zip(_SUBCOMMITTEES, halves, strict=True), start=1
                    )
                ],
            }
        )
    congress = 1 + (start.year - 1789) // 2
    term_start = date(1789 + 2 * (congress - 1), 1, 3)
    profiles = [_profile(member, term_start) for member in members]
    return CommitteeSnapshot(as_of, congress, committees, profiles)


def _seats(sitting: list[Member]) -> list[Fields]:
    """Return the seats of a committee; the party with more of them has the chair."""
    republicans = sum(member.party == "R" for member in sitting)
    majority = "R" if 2 * republicans >= len(sitting) else "D"
    ranks = {"majority": 0, "minority": 0}
    rows: list[Fields] = []
    for member in sitting:
        side = "majority" if (member.party == "R") == (majority == "R") else "minority"
        ranks[side] += 1
        title = None
        if ranks[side] == 1:
            title = "Chair" if side == "majority" else "Ranking Member"
        rows.append(
            {
                "id": member.bioguide,
                "name": member.name,
                "side": side,
                "rank_in_party": ranks[side],
                "title": title,
                "party": member.party,
                "state": member.state,
                "chamber": None,
            }
        )
    return rows


def _profile(member: Member, term_start: date) -> Fields:
    years = 2 if member.chamber == "House" else 6
    return {
        "bioguide": member.bioguide,
        "name": member.name,
        "first": member.first,
        "last": member.last,
        "nickname": None,
        "chamber": member.chamber,
        "state": member.state,
        "district": member.district,
        "party": member.party,
        "term_start": term_start.isoformat(),
        "term_end": term_start.replace(year=term_start.year + years).isoformat(),
    }
