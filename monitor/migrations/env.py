"""What Alembic runs: the migrations, in the transaction that `monitor.database_upgrade` has opened."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

import snapshots.archive.tables
import snapshots.leases  # noqa: F401  # imported for its tables, as are the two above
from snapshots.database import UtcDateTime, metadata


def rendered(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """How our own column type is written into a migration."""
    if kind == "type" and isinstance(item, UtcDateTime):
        autogenerate.imports.add("from snapshots.database import UtcDateTime")
        return "UtcDateTime()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table only by making it anew
    render_as_batch=True,
    render_item=rendered,
    compare_server_default=True,
    # the whole upgrade is one transaction on both databases
    transactional_ddl=True,
)
context.run_migrations()
