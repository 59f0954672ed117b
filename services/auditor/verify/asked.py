"""What a person asks to be verified: everything, or a window of the log."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from tradetrail.errors import UsageError

# A day further on the calendar itself ends.
_LAST_DAY = date(9998, 12, 31)
# One digit less than the largest offset has.
_DIGITS_MAX = 18

Bound = int | date
"""An offset, or a day of Kafka's append time, UTC."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which events: of a topic, of a partition of it, from a bound to a bound, both inclusive. Empty: everything."""

    topic: str | None = None
    partition: int | None = None
    first: Bound | None = None
    last: Bound | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for a window that makes no sense."""
        if self.partition is not None and self.topic is None:
            raise UsageError("--partition needs --topic: a partition is a topic's")
        offsets = [b for b in (self.first, self.last) if isinstance(b, int)]
        days = [b for b in (self.first, self.last) if isinstance(b, date)]
        if offsets and self.topic is None:
            raise UsageError(
                "--from and --to as offsets need --topic; as days (YYYY-MM-DD) they don't"
            )
        if offsets and days:
            raise UsageError("--from and --to: both offsets, or both days")
        for bounds in (offsets, days):
            if len(bounds) == 2 and bounds[1] < bounds[0]:  # type: ignore[operator]
                raise UsageError(
                    f"the window ends ({bounds[1]}) before it begins ({bounds[0]}); swap them"
                )
        if any(day > _LAST_DAY for day in days):
            raise UsageError(f"the last day that can be asked for is {_LAST_DAY}")

    @property
    def is_whole(self) -> bool:
        """Tell whether it holds everything."""
        return self == Window()

    @property
    def since(self) -> datetime | None:
        """Return the instant the window of days begins, UTC."""
        return _midnight(self.first) if isinstance(self.first, date) else None

    @property
    def until(self) -> datetime | None:
        """Return the instant before which the window of days ends, UTC."""
        return _midnight(self.last + timedelta(days=1)) if isinstance(self.last, date) else None

    @property
    def told(self) -> dict[str, str | int | None]:
        """Return it as a report tells it."""
        return {
            "topic": self.topic,
            "partition": self.partition,
            "from": _text(self.first),
            "to": _text(self.last),
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """A window, and whether the tables are verified as well as the events."""

    window: Window = Window()
    findings_max: int = 100
    events_only: bool = False


def add_window(parser: ArgumentParser) -> None:
    """Add the options by which a command line is told a window; ``window_of`` reads them."""
    parser.add_argument("--topic", metavar="T", help="a window: events of this topic only")
    parser.add_argument("--partition", type=int, metavar="P", help="this partition of --topic only")
    parser.add_argument(
        "--from", dest="first", metavar="F", help="first offset, or day (append time, UTC)"
    )
    parser.add_argument("--to", dest="last", metavar="L", help="last offset or day, inclusive")


def window_of(options: Namespace) -> Window:
    """Return the window that the options name. Raises UsageError for one that makes no sense."""
    return Window(
        options.topic,
        options.partition,
        bound_of("--from", options.first),
        bound_of("--to", options.last),
    )


def bound_of(option: str, text: str | None) -> Bound | None:
    """Return the offset or the day that an option names. Raises UsageError for what is neither."""
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX:
        return int(text)
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is neither an offset nor a day; write 1200, or 2020-12-31"
        ) from error


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), UTC)


def _text(bound: Bound | None) -> str | int | None:
    return bound.isoformat() if isinstance(bound, date) else bound
