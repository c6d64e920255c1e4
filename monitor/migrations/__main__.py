"""`python -m monitor.migrations "words"`: writes the migration from the last one to today's tables, for review."""

import sys

from monitor.database_upgrade import draft_migration

if __name__ == "__main__":
    draft_migration(sys.argv[1])
