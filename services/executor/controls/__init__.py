"""Pre-trade controls: each one a rule with its limit, what it observed, and the unit. Pure.

All are evaluated and recorded, passed or not. The first that fails, in the order of ``rules.RULES``, is the one that
blocks; what fails only because of orders under way waits until more is known.
"""

from services.executor.controls.batch import Verdict, check_all, check_batch, first_failed, recheck
from services.executor.controls.question import Account, Facts, LastPrice, Question

__all__ = [
    "Account",
    "Facts",
    "LastPrice",
    "Question",
    "Verdict",
    "check_all",
    "check_batch",
    "first_failed",
    "recheck",
]
