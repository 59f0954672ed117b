"""Run the executor: ``python -m services.executor [--show-config]``."""

from __future__ import annotations

import sys

from services.executor.service import run
from services.executor.settings import ExecutorSettings
from tradetrail.process import run_service

if __name__ == "__main__":
    sys.exit(run_service("executor", run, ExecutorSettings))
