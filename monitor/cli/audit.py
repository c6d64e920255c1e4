"""`trialdelta audit`: one file about a record that others can check without us; and checking such a file."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.output import format_option

if TYPE_CHECKING:
    from monitor.audit import Exported, Verdict
    from monitor.audit.form import Manifest


@click.group(short_help="Prove what is kept: export, verify.")
def audit() -> None:
    """Write all that is kept of a record into one file that others can check, and check such a file.

    \b
    Example:
      trialdelta audit export NCT01234567 --out NCT01234567.zip
      trialdelta audit verify NCT01234567.zip --head 0123456789ab
    """


@audit.command(short_help="All that is kept of a record, in one file.")
@click.argument("record", metavar="ID")
@click.option(
    "--out", "file", required=True, type=click.Path(path_type=Path), help="The file to write; must not exist."
)
@click.option("--with-addresses", is_flag=True, help="Addresses in the clear; without it, as hashes.")
def export(record: str, file: Path, with_addresses: bool) -> None:
    """Write versions byte for byte, changes, deliveries, the chain and a readable report (report.html) into one zip.

    Addresses of those who were told are hashed under a key that is printed once and is not in the file.

    \b
    Example:
      trialdelta audit export NCT01234567 --out NCT01234567.zip
    """
    import secrets

    from monitor import audit as audits
    from monitor import wiring
    from monitor.cli.program import Failure
    from monitor.cli.session import record_id, session

    key = None if with_addresses else secrets.token_bytes(16)
    known = record_id(record)
    with session() as here:
        try:
            done = audits.export(here.database, (wiring.REGISTRY, known), file, now=here.now, key=key)
        except audits.AuditError as error:
            raise Failure(str(error)) from error
    _print_export(file, done, key)


def _print_export(file: Path, done: "Exported", key: bytes | None) -> None:
    from monitor.cli.output import say

    click.echo(f"{file}: {done.size:,} bytes: {_held(done.manifest)}")
    click.echo(f"archive's head {done.head}, SHA-256 of the manifest {done.seal}")
    if key is None:
        say("It holds the addresses of those who were told, with what secrets webhook addresses carry.")
    elif done.manifest.counts.deliveries:
        say(f"Addresses are hashed. Their key is not in the file; to find one again, keep it: {key.hex()}")


def _held(manifest: "Manifest") -> str:
    from snapshots.sentences import counted

    counts = manifest.counts
    told = counted(counts.deliveries, "delivery", "deliveries")
    addresses = f" (addresses {manifest.addresses})" if counts.deliveries else ""
    return f"{counted(counts.versions, 'version')}, {counted(counts.changes, 'change')}, {told}{addresses}"


@audit.command(short_help="Does such a file hold together?")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--head", metavar="HASH", help="The proof number that a message printed, the archive's head then: 12 hex digits."
)
@format_option()
@click.pass_context
def verify(ctx: click.Context, file: Path, head: str | None, shape: str) -> None:
    """Check every byte of an exported file and its chain; needs no database. Exit 2 where something does not fit.

    With --head, say whether the archive is the one that a message came from, and which versions that proves.

    \b
    Example:
      trialdelta audit verify NCT01234567.zip --head 0123456789ab
    """
    import msgspec

    from monitor.audit import WrongHead
    from monitor.audit import verify as check
    from monitor.cli.output import print_json
    from monitor.cli.program import FAILED, Failure

    try:
        verdict = check(file, head)
    except WrongHead as error:
        raise Failure(str(error)) from error
    if not file.is_file():
        raise Failure(f"there is no file {file}")
    if shape == "json":
        print_json(msgspec.to_builtins(verdict))
    else:
        _print_verdict(file, verdict, head)
    if verdict.problems:
        ctx.exit(FAILED)


def _print_verdict(file: Path, verdict: "Verdict", head: str | None) -> None:
    from monitor.cli.output import clean, wrapped

    for problem in verdict.problems:
        click.echo(wrapped(f"✗ {problem}", indent=0, hanging=2))
    if verdict.problems:
        click.secho(f"{file} does not hold together.", fg="red", bold=True)
        return
    manifest = verdict.manifest
    assert manifest is not None
    click.secho(f"{file} holds together.", fg="green", bold=True)
    chain = manifest.chain
    gone = f"; the bytes of {verdict.pruned} were pruned, their hashes are in the chain" if verdict.pruned else ""
    for words in (
        f"{manifest.record.id} {clean(manifest.record.title)}",
        f"{_held(manifest)}, exported {manifest.exported_at}{gone}",
        f"archive's head {chain.head.hash[:12]} after append {chain.head.number:,}; "
        f"SHA-256 of the manifest {verdict.seal}",
        _meaning(verdict, head),
    ):
        click.echo(wrapped(words, indent=2))


def _meaning(verdict: "Verdict", head: str | None) -> str:
    if head is None:
        return (
            "This shows that the file is whole. Whether the archive was altered before the export shows only beside "
            "a head that is known from elsewhere: --head."
        )
    told = "all" if verdict.proven == verdict.versions else f"{verdict.proven} of {verdict.versions}"
    return (
        f"The head {head.strip()} is that after append {verdict.head_at}: {told} versions are as they were when the "
        "message with that head was made."
    )
