"""The three kinds of failure every edge translates into.

An edge (Kafka, Postgres, HTTP, files) turns its library's exceptions into one of these, with ``from``; the core
catches only these. Every message says what happened, to which event or file, and what to do next.
"""

from __future__ import annotations


class TradetrailError(Exception):
    """Root of the tree; never raised itself."""


class Retryable(TradetrailError):
    """Nothing is wrong with the event; the same step may succeed later (a server is away, a limit was hit)."""


class Poison(TradetrailError):
    """This one record can't be processed, now or later; it goes to dead letters and the rest goes on."""


class Fatal(TradetrailError):
    """We are wrong or fenced: stop the process with a non-zero exit code; the next start is a normal start."""


class UsageError(TradetrailError):
    """A person asked for something that can't be done as asked (exit code 2)."""


class NotRecorded(UsageError):
    """A person asked for something by an id that nothing is recorded under (exit code 2; over HTTP 404)."""


class Unreachable(TradetrailError):
    """A server a command needs does not answer (exit code 3)."""
