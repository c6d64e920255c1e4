"""The form of a subscription: what it says, what it would have told, and how it is kept."""
