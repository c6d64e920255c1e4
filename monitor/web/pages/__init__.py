"""What people see: one module for each page or few that belong together, each with its `DOORS`."""
