"""Words that the rules' sentences share: dates, shifts, statuses, names. Plain English, no JSON, no markup."""
