"""How each thing looks as JSON: the same objects that the commands print with `--format json` and the API answers."""
