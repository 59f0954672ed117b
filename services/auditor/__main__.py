"""Start the auditor: `python -m services.auditor`; --migrate prepares its database, --verify and --rebuild check it."""

import sys

from services.auditor.composition import migrate_database, run
from services.auditor.settings import AuditorSettings
from tradetrail.process import run_service

if __name__ == "__main__":
    if "--verify" in sys.argv:
        from services.auditor.verify.entry import main

        sys.exit(main([word for word in sys.argv[1:] if word != "--verify"]))
    if "--rebuild" in sys.argv:
        from services.auditor.rebuild.entry import main

        sys.exit(main([word for word in sys.argv[1:] if word != "--rebuild"]))
    if "--add-compliance-user" in sys.argv:
        from services.auditor.database.compliance_users import main

        sys.exit(main([word for word in sys.argv[1:] if word != "--add-compliance-user"]))
    body = migrate_database if "--migrate" in sys.argv else run
    sys.exit(run_service("auditor", body, AuditorSettings))
