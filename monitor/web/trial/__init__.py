"""What the pages of one trial show: its sections, what each said before, its sites and where they are, its history."""
