"""Can somebody who does not trust this installation check what it keeps of a record? One file, and how to check it."""

from monitor.audit.exporting import AuditError, Exported, export
from monitor.audit.told import address_hash
from monitor.audit.verifying import Verdict, WrongHead, verify

__all__ = ["AuditError", "Exported", "Verdict", "WrongHead", "address_hash", "export", "verify"]
