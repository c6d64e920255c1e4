"""The page and the API of an installation: how a request comes in, what a handler is given, how it answers.

**To add a page**: write `pages/<name>.py` (or `api/<name>.py`) with `DOORS`, a tuple of `Door`, and add its module to
`ROOMS` in `doors.py`. One path is one `Door`; it must say who may enter (`access`), and tests ask every door::

    DOORS = (
        Door("/watchlist", access="signed-in", get=show, post=add),
        Door("/api/v1/watches", kind="api", access="signed-in", get=api_list, post=api_add),
    )

    def show(here: Visit) -> Response:
        with here.database.read() as connection:
            watched = watches.listing(connection)
        return here.page("watchlist.html", watched=watched)

    def add(here: Visit) -> Response:
        ids = here.form.text("ids")
        ...
        return here.redirect("/watchlist", flash="3 trials are watched now.")

- Handlers are plain functions; they run in a thread, with a time limit. `here` (`visit.Visit`) holds `settings`,
  `database`, `now`, `visitor` (`.name`, `.may_write`), `params` (of the path), `query`, `form`, `json_body()`.
- Answers: `here.page(template, status=200, **values)`, `here.redirect(path, flash=None)`,
  `here.json(value, status=200)` (with ETag), `here.file(content, name, media_type)`, `here.foreign_html(text)` (a
  sandboxed document for an iframe, such as a mail's preview).
- Trouble: `raise Problem(404, "NCT99000001 is not watched", "what to do about it")`: a page or an RFC 9457 answer. Any
  other exception is one clear line with an id that stands in the log.
- `access="signed-in"`: GET needs a session or token, every other method one that may write, and from a page also the
  form's CSRF token: put `{{ csrf() }}` into every `<form method="post">`. `access="open"`: nobody is asked (health,
  sign-in). `access="link"`: the path's token is the authority and the handler verifies it (unsubscribe, feeds).
  GET and HEAD never change anything.
- `kind="api"` takes `Authorization: Bearer` and answers in JSON; for reading also the session of a browser.
- `body_limit` of a door (bytes, 256 KiB) is what a request may bring.
- Templates: `{% extends "layout.html" %}`, blocks `title` and `content`; `{% import "parts.html" as parts with context
  %}` has `heading`, `empty`, `severity`, `facts`, `pager`, `field`, `select`, `button`, `table`. In every template:
  `link("/trials/NCT…", page=2)` (always use it: the page may live below a path), `csrf()`, `asset(name)`,
  `time(moment)`, `visitor`, `flash`, `now`. Autoescape is on; nothing from the registry is ever marked safe; no inline
  style or script: the policy forbids both (attributes of SVG, such as `fill`, are fine).
- Style: the class names are listed at the top of `assets/page.css`; add yours there. No build step. Every page works
  without JavaScript; `assets/page.js` only shows times in the reader's zone.
- The navigation shows an entry of `doors.NAVIGATION` as soon as its path has a door.
- Paging: `cursor.encode(*values)` and `cursor.decode(text, *types)` for opaque cursors; `parts.pager(newer, older)`.
- Tests: fixture `site` of `tests/monitor/web/conftest.py` is a real server, asked by a real client.
"""
