"""What Alembic runs: the migrations, in the transaction that `monitor.database_upgrade` has opened."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.sql.elements import False_, True_

import monitor.access.tables
import monitor.presence  # noqa: F401
import notifiers.tables  # noqa: F401
import snapshots.archive.tables
import snapshots.leases  # imported for its tables, as are all of these
import snapshots.related.tables  # noqa: F401
from snapshots.database import UtcDateTime, metadata


def rendered(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    """How a migration writes what the two databases spell differently: our type of time, and true and false."""
    if kind == "type" and isinstance(item, UtcDateTime):
        autogenerate.imports.add("from snapshots.database import UtcDateTime")
        return "UtcDateTime()"
    if kind == "server_default" and isinstance(getattr(item, "arg", None), False_ | True_):
        return f"sa.{item.arg}()"
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
