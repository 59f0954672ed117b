"""Start the decider: `python -m services.decider`."""

import sys

from services.decider.composition import run
from services.decider.settings import DeciderSettings
from tradetrail.process import run_service

if __name__ == "__main__":
    sys.exit(run_service("decider", run, DeciderSettings))
