"""Who may see and change things on the page and the API: tokens, and the sessions that they open."""
