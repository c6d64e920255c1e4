"""What people asked for, in what words, by which channel, and did it arrive."""
