"""`trialdelta run`: the daemon."""

import click


@click.command(short_help="The daemon: sweeps, deliveries, digests, page.")
def run() -> None:
    """Run until SIGTERM or Ctrl-C: watch the registry, send what is due, write digests when their time comes.

    The database is brought to this version's tables at the start. What is due stands there, so a restart goes on where
    it was, and several replicas on one PostgreSQL database share the work.

    The page and the API are served on TRIALDELTA_HOST and TRIALDELTA_PORT (127.0.0.1:8383). On a terminal a link is
    printed that signs you in once; the access token stands in a file that the log names.

    \b
    Example:
      trialdelta run
      TRIALDELTA_LOG_FORMAT=json TRIALDELTA_DATABASE_URL=postgresql://… trialdelta run
    """
    import os

    from monitor import logging
    from monitor.daemon import run as run_daemon
    from monitor.settings import load

    settings = load(os.environ)
    logging.configure(settings.log_format, settings.log_level)
    if not run_daemon(settings):
        # work in hand did not end in time; its leases do, and what it had not recorded is done again
        os._exit(0)
