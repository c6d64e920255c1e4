"""`trialdelta run`: the daemon."""

import click


@click.command(short_help="The daemon: sweeps, deliveries, digests, page.")
@click.option("--name", help="What this daemon is called among others on the same database.  [default: host and pid]")
@click.option("--only", metavar="ROLE,…", help="Only these of sweep, deliver, web; deliver includes the digests.")
def run(name: str | None, only: str | None) -> None:
    """Run until SIGTERM or Ctrl-C: watch the registry, send what is due, write digests when their time comes.

    The database is brought to this version's tables at the start. What is due stands there, so a restart goes on where
    it was. Any number of daemons may run on one PostgreSQL database: one sweeps at a time, and another takes over
    within a minute where it dies; all of them deliver. `trialdelta doctor` says who is there.

    The page and the API are served on TRIALDELTA_HOST and TRIALDELTA_PORT (127.0.0.1:8383). On a terminal a link is
    printed that signs you in once; the access token stands in a file that the log names.

    \b
    Example:
      trialdelta run
      TRIALDELTA_LOG_FORMAT=json TRIALDELTA_DATABASE_URL=postgresql://… trialdelta run
      trialdelta run --name web-1 --only web
    """
    import os

    from monitor import logging
    from monitor.daemon import run as run_daemon
    from monitor.settings import load

    roles = _roles(only)
    settings = load(os.environ)
    if only and "web" in roles and not settings.page:
        raise click.UsageError("--only names web, though TRIALDELTA_PAGE is false")
    logging.configure(settings.log_format, settings.log_level)
    if not run_daemon(settings, name=_checked(name), roles=roles):
        # work in hand did not end in time; its leases do, and what it had not recorded is done again
        os._exit(0)


def _roles(only: str | None) -> tuple[str, ...]:
    from monitor.presence import ROLES

    if only is None:
        return ROLES
    roles = tuple(word.strip() for word in only.split(","))
    for role in roles:
        if role not in ROLES:
            raise click.UsageError(f"--only: {role or 'nothing'} is no role; they are {', '.join(ROLES)}")
    return roles


def _checked(name: str | None) -> str | None:
    if name is not None and (not name.strip() or len(name) > 64 or not name.isprintable()):
        raise click.UsageError("--name: expected up to 64 printed letters")
    return name
