"""Start the auditor: `python -m services.auditor`; with --migrate, prepare its database and end."""

import sys

from services.auditor.composition import migrate_database, run
from services.auditor.settings import AuditorSettings
from tradetrail.process import run_service

if __name__ == "__main__":
    body = migrate_database if "--migrate" in sys.argv else run
    sys.exit(run_service("auditor", body, AuditorSettings))
