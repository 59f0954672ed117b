"""The events of the log: typed classes generated from ``schemas/``, and their plain form."""

from tradetrail.events.convert import from_datum, to_datum
from tradetrail.events.generated import CATALOGUE, Event

__all__ = ["CATALOGUE", "Event", "from_datum", "to_datum"]
