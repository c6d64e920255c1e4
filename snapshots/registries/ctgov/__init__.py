"""ClinicalTrials.gov: how it is asked, what its answers mean, and its records as `Trial`s."""
